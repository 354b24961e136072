package signal

// Heavy says that an attribute of evenkeel.window.profile holds bytes that only
// machines read, up to 20 kB of them: sums of a kernel's features, or a sketch of
// whole rows. A copy of the event for people to search goes without.
func Heavy(key string) bool { return key == keyEmbedded || key == keyDistinct }
