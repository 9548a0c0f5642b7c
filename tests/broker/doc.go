// Package broker holds what foreign clients say of kring's embedded broker:
// franz-go and sarama produce to it in every mode, and franz-go reads back.
package broker
