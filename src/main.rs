//! The program `h2lens`. Everything it does is in the library.

fn main() -> std::process::ExitCode {
    h2lens::main().into()
}
