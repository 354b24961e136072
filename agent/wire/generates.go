package wire

// Generates says whether a URL is one under which a language model writes or
// embeds texts: all of these are looked at, sampled or not. Like Wants it is safe
// for concurrent use.
func (d *Decoders) Generates(path string) bool {
	to, ok := d.route(path)
	return ok && isGeneration(to.form)
}
