package kring

import "fmt"

// maxTopicLength is Kafka's limit: a file name of 255 minus the partition's
// suffix.
const maxTopicLength = 249

// checkTopic reports whether a cluster can have a topic of this name, by the
// rules of the broker. A name that passes costs one look at each byte.
func checkTopic(name string) error {
	if len(name) == 0 || len(name) > maxTopicLength || name == "." || name == ".." {
		return topicError(name)
	}
	for i := range len(name) {
		switch b := name[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		case b == '.', b == '_', b == '-':
		default:
			return topicError(name)
		}
	}
	return nil
}

// topicError says which rule the name breaks.
func topicError(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrInvalidTopic)
	case len(name) > maxTopicLength:
		return fmt.Errorf("%w: it has %d characters, at most %d are allowed", ErrInvalidTopic, len(name), maxTopicLength)
	default:
		return fmt.Errorf("%w %q: want [a-zA-Z0-9._-], and neither \".\" nor \"..\"", ErrInvalidTopic, name)
	}
}
