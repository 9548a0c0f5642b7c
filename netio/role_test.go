package netio

import "testing"

func TestRoleStates(t *testing.T) {
	enter := func(r *Role) bool { return r.Enter() }
	leave := func(r *Role) bool { return r.Leave() }
	type step struct {
		call func(*Role) bool
		want bool
		then uint32
	}
	cases := []struct {
		name  string
		steps []step
	}{
		{"alone", []step{{enter, true, roleHeld}, {leave, true, roleIdle}}},
		{"again", []step{{enter, true, roleHeld}, {leave, true, roleIdle}, {enter, true, roleHeld}, {leave, true, roleIdle}}},
		{"asked once", []step{
			{enter, true, roleHeld},
			{enter, false, roleAsked},
			{leave, false, roleHeld},
			{leave, true, roleIdle},
		}},
		{"asked by many costs one turn", []step{
			{enter, true, roleHeld},
			{enter, false, roleAsked},
			{enter, false, roleAsked},
			{enter, false, roleAsked},
			{leave, false, roleHeld},
			{leave, true, roleIdle},
		}},
		{"asked in the extra turn", []step{
			{enter, true, roleHeld},
			{enter, false, roleAsked},
			{leave, false, roleHeld},
			{enter, false, roleAsked},
			{leave, false, roleHeld},
			{leave, true, roleIdle},
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var r Role
			for i, s := range tc.steps {
				if got := s.call(&r); got != s.want {
					t.Fatalf("step %d: got %v, want %v", i, got, s.want)
				}
				if got := r.state.Load(); got != s.then {
					t.Fatalf("step %d: state %d, want %d", i, got, s.then)
				}
			}
		})
	}
}
