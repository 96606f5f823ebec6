// A receiver of heistwatch alerts in Go: the standard library and nothing else.
package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// One of the two is enough; with both, either one that fits is accepted.
var (
	secret    = os.Getenv("WEBHOOK_SECRET")     // whsec_...
	publicKey = os.Getenv("WEBHOOK_PUBLIC_KEY") // whpk_...
)

const (
	toleranceSeconds = 5 * 60
	bodyBytesMax     = 256 * 1024
)

// isGenuine takes the raw bytes of the body, before any JSON parser saw them.
func isGenuine(header http.Header, body []byte) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil || math.Abs(float64(time.Now().Unix()-at)) > toleranceSeconds {
		return false
	}
	signed := append([]byte(id+"."+timestamp+"."), body...)
	// Several while keys are rotated: one that fits is enough.
	for _, one := range strings.Split(header.Get("webhook-signature"), " ") {
		version, text, _ := strings.Cut(one, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		if version == "v1" && secret != "" && isSharedSignature(signed, signature) {
			return true
		}
		if version == "v1a" && publicKey != "" && isPublicSignature(signed, signature) {
			return true
		}
	}
	return false
}

func isSharedSignature(signed, signature []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(signed)
	return hmac.Equal(mac.Sum(nil), signature)
}

func isPublicSignature(signed, signature []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(publicKey, "whpk_"))
	return err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, signed, signature)
}

var (
	lock sync.Mutex
	seen = map[string]bool{} // In production: a table with a unique column, written with the alert.
)

func receive(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, bodyBytesMax))
	if err != nil {
		return
	}
	var alert struct {
		Type string `json:"type"`
	}
	if !isGenuine(request.Header, body) || json.Unmarshal(body, &alert) != nil {
		response.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := request.Header.Get("webhook-id")
	lock.Lock()
	defer lock.Unlock()
	// Answer only once it is stored: a 2xx is never sent again.
	if !seen[id] {
		fmt.Println("alert", id, alert.Type)
	}
	seen[id] = true
	response.WriteHeader(http.StatusNoContent)
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.HandleFunc("/", receive)
	fmt.Println("receiver starts")
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
