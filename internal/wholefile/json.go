package wholefile

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// ErrDamaged is in the chain of the error of ReadJSON where the file is there and
// holds something else.
var ErrDamaged = errors.New("not what was written")

// ReadJSON reads what ReplaceJSON wrote into v. A file that is not there leaves v
// as it is and is no error. After an error v may hold a part.
func ReadJSON(path string, v any) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return errors.Join(ErrDamaged, err)
	}
	return nil
}

// ReplaceJSON is Replace with v written as JSON that people can read.
func ReplaceJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return Replace(path, append(raw, '\n'))
}
