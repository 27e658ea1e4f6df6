package presigntest

// ChildVariable is the variable that makes a process a child.
const ChildVariable = childVariable

// Kill kills the server's process.
func (s *Server) Kill() error { return s.child.Process.Kill() }
