package bench

// Validate checks the plan as Execute does before it starts anything. Brokers
// are not asked.
func (s *Session) Validate() error {
	if _, err := s.check(); err != nil {
		return UsageError(err)
	}
	return nil
}
