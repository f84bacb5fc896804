//! Every cap in the program, in one place. Each has a counter that tells when it struck.
