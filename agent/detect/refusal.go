package detect

import "strings"

// refusalWithin is how far into a text a refusal is looked for, in bytes: models
// decline at the beginning, and further on such words are quoted or meant
// otherwise.
const refusalWithin = 240

// refusals are how models decline, in lower case and with a plain apostrophe. A
// heuristic: it knows customary phrases of eleven languages, and neither irony nor
// what is said in other words.
var refusals = [...]string{
	// English
	"i can't help with", "i cannot help with", "i can't assist", "i cannot assist", "i'm unable to", "i am unable to", "i can't provide",
	"i cannot provide", "i won't be able to", "i'm not able to", "i am not able to", "i must decline", "i have to decline", "i can't comply",
	"i cannot comply", "i can't fulfill", "i cannot fulfill", "i can't do that", "i'm sorry, but i can't", "i'm sorry, but i cannot",
	"i can't share", "i cannot share", "i can't create", "i cannot create", "i can't discuss", "i cannot discuss", "i can't write",
	"i can't support", "i can't engage", "i cannot engage", "as an ai, i can't", "as an ai language model, i cannot",
	// German
	"ich kann ihnen dabei nicht helfen", "ich kann dir dabei nicht helfen", "dabei kann ich nicht helfen", "dabei kann ich ihnen nicht helfen",
	"dabei kann ich dir nicht helfen", "ich kann diese anfrage nicht", "das kann ich nicht tun", "ich bin nicht in der lage",
	"tut mir leid, aber ich kann", "ich darf ihnen keine", "ich kann keine anleitung",
	// French
	"je ne peux pas vous aider", "je ne peux pas t'aider", "je ne peux pas fournir", "je ne suis pas en mesure", "je ne peux pas répondre à",
	"je suis désolé, mais je ne peux", "désolé, mais je ne peux", "je ne peux pas participer",
	// Spanish
	"no puedo ayudarte", "no puedo ayudarle", "no puedo proporcionar", "no puedo cumplir", "lo siento, pero no puedo", "no me es posible",
	"no puedo asistir",
	// Italian
	"non posso aiutarti", "non posso aiutarla", "non posso fornire", "non sono in grado di", "mi dispiace, ma non posso",
	// Portuguese
	"não posso ajudar", "não posso fornecer", "não consigo ajudar", "desculpe, mas não posso", "sinto muito, mas não posso",
	// Dutch
	"ik kan je daar niet", "ik kan u daar niet", "daar kan ik niet bij helpen", "het spijt me, maar ik kan",
	// Polish
	"nie mogę pomóc", "nie mogę w tym pomóc", "przykro mi, ale nie mogę",
	// Russian
	"я не могу помочь", "Я не могу помочь", "я не могу предоставить", "Я не могу предоставить", "Извините, но я не могу", "К сожалению, я не могу",
	"извините, но я не могу", "к сожалению, я не могу",
	// Chinese
	"我无法", "我不能提供", "抱歉，我不能", "很抱歉，我无法", "对不起，我不能",
	// Japanese
	"お手伝いできません", "お答えできません", "申し訳ありませんが、その", "ご提供できません",
}

// byFirst are the places of the refusals by their first byte: refusals in each
// list begin with it.
var byFirst = func() (lists [256][]int) {
	for i, r := range refusals {
		lists[r[0]] = append(lists[r[0]], i)
	}
	return lists
}()

// Refused says whether a text begins by declining what was asked. A heuristic by
// customary phrases in English, German, French, Spanish, Italian, Portuguese,
// Dutch, Polish, Russian, Chinese and Japanese. It allocates nothing.
func Refused(text string) bool {
	for i := 0; i < len(text) && i < refusalWithin; i++ {
		candidates := byFirst[lower(text[i])]
		if len(candidates) == 0 || text[i] < 0x80 && isWord(at(text, i-1)) {
			continue
		}
		for _, k := range candidates {
			if hasPhrase(text[i:], refusals[k]) {
				return true
			}
		}
	}
	return false
}

// hasPhrase compares without regard to ASCII case; a typographic apostrophe is
// one, and a capital of another alphabet is equal only where the phrase has it.
func hasPhrase(text, phrase string) bool {
	i := 0
	for k := range len(phrase) {
		switch {
		case phrase[k] == '\'' && strings.HasPrefix(text[i:], "’"):
			i += len("’")
			continue
		case i >= len(text) || lower(text[i]) != phrase[k]:
			return false
		}
		i++
	}
	return true
}

func findRefusal(text string) uint64 {
	if Refused(text) {
		return 1
	}
	return 0
}
