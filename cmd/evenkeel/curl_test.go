package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// curl is what the guides use of curl, for machines that have none: --json, -G with
// --data-urlencode, -s.
func curl() {
	method, body, address := http.MethodGet, "", ""
	form := url.Values{}
	for args := os.Args[1:]; len(args) > 0; args = args[1:] {
		switch args[0] {
		case "-s", "-G":
		case "--json":
			method, body, args = http.MethodPost, args[1], args[1:]
		case "--data-urlencode":
			name, value, _ := strings.Cut(args[1], "=")
			form.Add(name, value)
			args = args[1:]
		default:
			address = args[0]
		}
	}
	if len(form) > 0 {
		address += "?" + form.Encode()
	}
	if err := exchange(method, address, body); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func exchange(method, address, body string) error {
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}
