//! The renderer of the tests: pretends, as its script says.

fn main() -> std::process::ExitCode {
    tarim_render::fake::run_as_program()
}
