package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Realm is the Kerberos realm of every KDC of this package.
const Realm = "KRING.EXAMPLE"

// The two generations of AES with 256 bits, by their names in krb5.conf.
const (
	AES256SHA1   = "aes256-cts-hmac-sha1-96"
	AES256SHA384 = "aes256-cts-hmac-sha384-192"
)

// KDC is MIT Kerberos' server, a child of this process on one loopback port,
// with a database of its own:
//
//	dir/kdc.conf, principal*, stash   the database, for krb5kdc and kadmin.local
//	dir/krb5.conf                     what clients and brokers read
//	dir/kdc.log                       a line for each request
type KDC struct {
	Conf string // path of krb5.conf, with both types of keys

	dir     string
	address string
	tools   map[string]string // paths

	mu      sync.Mutex
	process *exec.Cmd // nil while it is stopped
	ended   chan struct{}
}

// kdcTools come with Debian's krb5-kdc, krb5-admin-server and krb5-user.
func kdcTools() []string { return []string{"krb5kdc", "kdb5_util", "kadmin.local", "kinit"} }

// NewKDC makes the database of a KDC in a folder; Start starts it. The error
// names a tool that this machine lacks, and is an exec.Error then.
func (r *Rig) NewKDC(ctx context.Context, dir string) (*KDC, error) {
	k := &KDC{dir: dir, address: r.kdcAddress(), Conf: filepath.Join(dir, "krb5.conf"), tools: map[string]string{}}
	for _, tool := range kdcTools() {
		path, err := lookUp(tool)
		if err != nil {
			return nil, fmt.Errorf("kafka: a KDC of MIT Kerberos is needed (Debian: krb5-kdc, krb5-admin-server): %w", err)
		}
		k.tools[tool] = path
	}
	conf := strings.NewReplacer("REALM", Realm, "DIR", dir, "ADDRESS", k.address, "OLD", AES256SHA1, "NEW", AES256SHA384).Replace(`
[kdcdefaults]
 kdc_listen = ADDRESS
 kdc_tcp_listen = ADDRESS
[realms]
 REALM = {
  database_name = DIR/principal
  key_stash_file = DIR/stash
  acl_file = DIR/acl
  supported_enctypes = OLD:normal NEW:normal
  max_life = 1h
  max_renewable_life = 0
 }
[logging]
 kdc = FILE:DIR/kdc.log
 admin_server = FILE:DIR/kadmin.log
`)
	if err := os.WriteFile(filepath.Join(dir, "kdc.conf"), []byte(conf), 0o600); err != nil {
		return nil, fmt.Errorf("kafka: KDC: %w", err)
	}
	if err := k.writeConf(k.Conf, AES256SHA1, AES256SHA384); err != nil {
		return nil, err
	}
	return k, k.run(ctx, "", "kdb5_util", "create", "-s", "-r", Realm, "-P", clusterID())
}

func (r *Rig) kdcAddress() string { return fmt.Sprintf("127.0.0.1:%d", r.basePort+securePort+9) }

// lookUp finds a tool, also where only root's PATH leads to.
func lookUp(tool string) (string, error) {
	path, err := exec.LookPath(tool)
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/lib/mit/sbin"} {
		if err == nil {
			break
		}
		if _, missing := os.Stat(filepath.Join(dir, tool)); missing == nil {
			path, err = filepath.Join(dir, tool), nil
		}
	}
	return path, err
}

// ConfWith writes another krb5.conf, whose clients know some types of keys only.
func (k *KDC) ConfWith(types ...string) (path string, err error) {
	path = filepath.Join(k.dir, strings.Join(append(types, "krb5.conf"), "."))
	return path, k.writeConf(path, types...)
}

func (k *KDC) writeConf(path string, types ...string) error {
	text := strings.NewReplacer("REALM", Realm, "ADDRESS", k.address, "TYPES", strings.Join(types, " ")).Replace(`[libdefaults]
 default_realm = REALM
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 default_tkt_enctypes = TYPES
 default_tgs_enctypes = TYPES
 permitted_enctypes = TYPES
[realms]
 REALM = {
  kdc = ADDRESS
 }
`)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("kafka: KDC: %w", err)
	}
	return nil
}

// Admin gives commands to kadmin.local, such as "addprinc -pw secret app". Those
// of one call share a process. It does not need a KDC that runs.
func (k *KDC) Admin(ctx context.Context, commands ...string) error {
	return k.run(ctx, strings.Join(commands, "\n")+"\n", "kadmin.local", "-r", Realm)
}

// Keytab writes the keys that principals have now.
func (k *KDC) Keytab(ctx context.Context, name string, principals ...string) (path string, err error) {
	path = filepath.Join(k.dir, name)
	return path, k.Admin(ctx, "ktadd -norandkey -k "+path+" "+strings.Join(principals, " "))
}

// Kinit gets a ticket by a password, and returns the path of its cache.
func (k *KDC) Kinit(ctx context.Context, name, principal, password string) (path string, err error) {
	path = filepath.Join(k.dir, name)
	return path, k.run(ctx, password+"\n", "kinit", "-c", "FILE:"+path, principal)
}

// run runs one of the tools. kadmin.local ends well whatever its commands did,
// but says what went wrong.
func (k *KDC) run(ctx context.Context, input, tool string, args ...string) error {
	command := exec.CommandContext(ctx, k.tools[tool], args...)
	command.Env, command.Stdin = k.environment(), strings.NewReader(input)
	var complaints strings.Builder
	command.Stderr = &complaints
	err := command.Run()
	said := strings.TrimSpace(complaints.String())
	if err == nil && tool == "kadmin.local" {
		for line := range strings.Lines(said) {
			if !strings.HasPrefix(line, "No policy specified") {
				err = errors.New("it complains")
			}
		}
	}
	if err != nil {
		return fmt.Errorf("kafka: KDC: %s: %w: %s", tool, err, said)
	}
	return nil
}

func (k *KDC) environment() []string {
	return append(os.Environ(), "KRB5_CONFIG="+k.Conf, "KRB5_KDC_PROFILE="+filepath.Join(k.dir, "kdc.conf"), "LC_ALL=C")
}

// Start starts the KDC and waits until it listens.
func (k *KDC) Start(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.process != nil {
		return errors.New("kafka: the KDC is running")
	}
	free, err := net.Listen("tcp", k.address)
	if err != nil {
		return fmt.Errorf("kafka: the KDC needs %s: %w (KAFKA_PORT chooses another)", k.address, err)
	}
	_ = free.Close()
	process := exec.Command(k.tools["krb5kdc"], "-n", "-r", Realm)
	process.Env, process.Dir = k.environment(), k.dir
	if err := process.Start(); err != nil {
		return fmt.Errorf("kafka: KDC: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = process.Wait()
	}()
	k.process, k.ended = process, ended
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		if conn, err := net.Dial("tcp", k.address); err == nil {
			_ = conn.Close()
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("kafka: the KDC died at the start: %s", lastLines(filepath.Join(k.dir, "kdc.log"), 3))
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("kafka: the KDC was not ready in time: %w", ctx.Err()), k.stop())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop stops the KDC, if it runs, and waits for its end.
func (k *KDC) Stop() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stop()
}

func (k *KDC) stop() error {
	if k.process == nil {
		return nil
	}
	process, ended := k.process, k.ended
	k.process = nil
	_ = process.Process.Signal(syscall.SIGTERM) // fails if it has ended by itself
	select {
	case <-ended:
		return nil
	case <-time.After(stopPatience):
		return process.Process.Kill()
	}
}

// Log is what the KDC has written about the requests.
func (k *KDC) Log() string {
	b, _ := os.ReadFile(filepath.Join(k.dir, "kdc.log"))
	return string(b)
}
