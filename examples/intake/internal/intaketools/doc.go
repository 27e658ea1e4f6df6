// Package intaketools provides the tools with which a model takes in files and answers questions about them.
//
//	set, err := intaketools.Tools(store)
//
// The set has list_files, profile_file, get_profile, record_profile, query_file and query_files, and describe_file,
// read_chunk, search and sample of package objecttools. All take the handles of list_files. A run has the scope of its
// user, so the tools reach all files that the user took in, and those of the tenant if the host passes the shared
// scope.
//
// profile_file and query_file read a whole file in constant memory and report their progress, and query_files reads
// several, one after the other. Tenants take turns at them: a process reads at most 4 files at a time, and at most 2 of
// one tenant.
//
// profile_file and record_profile write only to the file that the run has claimed, see [NewContext]. A message that
// merely names an upload does not make a run take it in.
//
// Contents of files are data: the tools return them in separate fields from their messages.
package intaketools
