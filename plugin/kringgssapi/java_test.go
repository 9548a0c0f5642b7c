package kringgssapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
)

// TestAgainstJava logs in at Java's own GSSAPI, which is what Kafka's brokers
// use, with a ticket of the test's KDC.
func TestAgainstJava(t *testing.T) {
	if _, err := exec.LookPath("javac"); err != nil || testing.Short() {
		t.Skipf("no JDK, or a short run: %v", err)
	}
	for _, etype := range []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA256_128} {
		t.Run(fmt.Sprint(etype), func(t *testing.T) {
			k := newKDC(t, etype)
			keys, err := k.keys.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			java := exec.CommandContext(ctx, "java", "-Djava.security.krb5.conf="+k.conf, "testdata/Acceptor.java",
				k.write("broker.keytab", string(keys)), brokerName+"@"+realm, "kafka", "broker.example")
			var complaints bytes.Buffer
			java.Stderr = &complaints
			in, err := java.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := java.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := java.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			talk, err := Password("app", canary, k.settings()).Start(t.Context(), host)
			if err != nil {
				t.Fatal(err)
			}
			reply, err := talk.Step(nil)
			for err == nil && reply != nil {
				fmt.Fprintln(in, base64.StdEncoding.EncodeToString(reply))
				if !lines.Scan() {
					break
				}
				var challenge []byte
				if challenge, err = base64.StdEncoding.DecodeString(lines.Text()); err == nil {
					reply, err = talk.Step(challenge)
				}
			}
			last := lines.Scan() && strings.HasPrefix(lines.Text(), "complete true app@"+realm)
			_ = in.Close()
			if wait := java.Wait(); err != nil || wait != nil || !last {
				t.Errorf("error %v, Java ends with %v: %q %s", err, wait, lines.Text(), complaints.String())
			}
		})
	}
}
