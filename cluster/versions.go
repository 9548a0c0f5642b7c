package cluster

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	keyProduce            = 0
	keyMetadata           = 3
	keyFindCoordinator    = 10
	keySaslHandshake      = 17
	keyApiVersions        = 18
	keyInitProducerID     = 22
	keyAddPartitionsToTxn = 24
	keyAddOffsetsToTxn    = 25
	keyEndTxn             = 26
	keyTxnOffsetCommit    = 28
	keySaslAuthenticate   = 36

	// keyLimit is above every API key that exists. Keys beyond it are of
	// requests that this client does not know and never sends.
	keyLimit = 128

	// oldestProduce is the first version that carries record batches v2.
	// Brokers 4.x still advertise 0 to 2, for the sake of an old client
	// that looks for them, and refuse them (KAFKA-18659).
	oldestProduce = 3
	// newestProduceByName is the last version that names topics. Later ones
	// identify them, which needs the ids that come with Metadata v10.
	newestProduceByName = 12
	oldestTopicIDs      = 10
)

// Versions are the request versions that the broker of one connection speaks.
// They belong to that connection: the next one to the same address may reach a
// broker that was upgraded or downgraded meanwhile. A Versions is immutable.
type Versions struct {
	address string
	ranges  [keyLimit]versionRange
	// transactions is the level of the feature transaction.version that the
	// whole cluster has been set to; 0 if the broker does not know it.
	transactions int16
}

// versionRange is empty when zero, so that an absent key needs no flag.
type versionRange struct {
	lowest, newest int16
	known          bool
}

// newVersions keeps what makes sense of a broker's table: known keys, ranges
// that hold a version, and the first of several entries for a key.
func newVersions(address string, keys []kmsg.ApiVersionsResponseApiKey) Versions {
	versions := Versions{address: address}
	for i := range keys {
		key := &keys[i]
		if key.ApiKey < 0 || key.ApiKey >= keyLimit || key.MaxVersion < max(key.MinVersion, 0) {
			continue
		}
		if slot := &versions.ranges[key.ApiKey]; !slot.known {
			*slot = versionRange{lowest: max(key.MinVersion, 0), newest: key.MaxVersion, known: true}
		}
	}
	return versions
}

// Pick returns the newest version of a request that the broker speaks within
// [lowest, newest], and whether there is one.
func (v *Versions) Pick(apiKey, lowest, newest int16) (int16, bool) {
	if apiKey < 0 || apiKey >= keyLimit || !v.ranges[apiKey].known {
		return 0, false
	}
	version := min(v.ranges[apiKey].newest, newest)
	if version < max(v.ranges[apiKey].lowest, lowest) {
		return 0, false
	}
	return version, true
}

// Produce returns the version to use for Produce on this connection: the newest
// one up to newest, but none that identifies topics unless the broker's
// Metadata tells the ids. Some services advertise the one without the other.
func (v *Versions) Produce(newest int16) (int16, error) {
	if _, ids := v.Pick(keyMetadata, oldestTopicIDs, everAfter); !ids {
		newest = min(newest, newestProduceByName)
	}
	version, ok := v.Pick(keyProduce, oldestProduce, newest)
	if !ok {
		return 0, v.unsupported("Produce", keyProduce, oldestProduce, newest)
	}
	return version, nil
}

// unsupported says what is missing in the user's terms.
func (v *Versions) unsupported(name string, key, lowest, newest int16) error {
	need := fmt.Sprintf("v%d to v%d", lowest, newest)
	if newest == everAfter {
		need = fmt.Sprintf("v%d or later", lowest)
	}
	offer, remedy := "does not offer it at all", "Kafka 0.11 or later is needed"
	if r := v.ranges[key]; r.known {
		offer = fmt.Sprintf("offers v%d to v%d", r.lowest, r.newest)
		if r.lowest > newest {
			remedy = "a newer client is needed"
		}
	}
	return &VersionError{Address: v.address, Reason: fmt.Sprintf(
		"this client needs %s %s and the broker %s; %s", name, need, offer, remedy)}
}
