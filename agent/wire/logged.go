package wire

// destination finds the model and the protocol of an exchange.
func (d *Decoders) destination(x *Exchange) (destination, bool) {
	if x.Path != "" {
		return d.route(x.Path)
	}
	m := d.models[x.Model]
	if m == nil {
		return destination{}, false
	}
	form := m.form
	if form == nil {
		body, err := d.reader.inflate.body(&x.Request, 0, d.reader.maxInflated)
		if err != nil {
			body = nil // reading it will say why
		}
		form = formOfBody(body)
	}
	return destination{form, m.name, "", m}, true
}

// formOfBody tells the protocol of a plain request whose URL nobody knows, by the
// members that only one protocol has. What tells nothing is V2: a fault names it.
func formOfBody(body []byte) *protocolForm {
	if !isJSON(body) {
		return &oipForm
	}
	s := scanner{text: body}
	if s.next() != '{' {
		return &invocationsForm
	}
	form := &oipForm
	s.object(func(key string) {
		switch key {
		case "instances":
			form = &predictForm
		case "inputs":
			if !s.hasTensors() {
				form = &predictForm
			}
		case "dataframe_split", "dataframe_records":
			form = &invocationsForm
		case "data", "jsonData", "strData":
			form = &seldonForm
		}
		s.skip(0)
	})
	return form
}

// hasTensors says whether the value that comes next is an array of objects, as
// V2's tensors are, and takes nothing.
func (s *scanner) hasTensors() bool {
	ahead := scanner{text: s.text, at: s.at}
	return ahead.take('[') && ahead.next() == '{'
}
