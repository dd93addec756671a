//! A renderer that only pretends, for the tests of this crate. See `tarim_render::fake`.

fn main() -> std::process::ExitCode {
    tarim_render::fake::run_as_program()
}
