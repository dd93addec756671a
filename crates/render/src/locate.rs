//! Where the renderer program and libtorch are: pure functions of what the caller read from its environment.

use std::path::{Path, PathBuf};

/// What decides where to look. Programs fill it in; nothing here reads the environment itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The running program (`std::env::current_exe`).
    pub executable: Option<PathBuf>,
    /// The folder it was started in.
    pub current_folder: Option<PathBuf>,
    /// The environment variable `TARIM_RENDERER`: the renderer program itself.
    pub renderer: Option<PathBuf>,
    /// The environment variable `LIBTORCH`: the folder that holds `lib`.
    pub libtorch: Option<PathBuf>,
}

/// The version of libtorch that a set-up project keeps in `.deps`.
pub const LIBTORCH_VERSION: &str = "2.11.0";

/// The file name of the renderer program on this system.
pub fn renderer_file_name() -> String {
    format!("tarim-renderer{}", std::env::consts::EXE_SUFFIX)
}

impl Surroundings {
    /// The renderer program: the one that `TARIM_RENDERER` names, else the one beside the running program.
    ///
    /// Tests and examples of Cargo lie one folder deeper (`deps`, `examples`), so the folder above counts too.
    /// The error holds every place that was looked at.
    pub fn renderer(&self, is_file: impl Fn(&Path) -> bool) -> Result<PathBuf, Vec<PathBuf>> {
        if let Some(named) = &self.renderer {
            return if is_file(named) { Ok(named.clone()) } else { Err(vec![named.clone()]) };
        }
        let name = renderer_file_name();
        let folders = self.executable.iter().flat_map(|program| program.ancestors().skip(1).take(2));
        let tried: Vec<PathBuf> = folders.map(|folder| folder.join(&name)).collect();
        tried.iter().find(|file| is_file(file)).cloned().ok_or(tried)
    }

    /// The libtorch folder: the one that `LIBTORCH` names, else `libtorch` beside the running program, else the one
    /// that `cargo xtask setup` fetched into `.deps` of the project around the program or the current folder, CUDA's
    /// build before the CPU's. `None` leaves it to the system's loader.
    pub fn libtorch(&self, is_folder: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        if let Some(named) = &self.libtorch {
            return Some(named.clone());
        }
        let beside = self.executable.iter().filter_map(|program| Some(program.parent()?.join("libtorch")));
        let above = [self.executable.as_ref(), self.current_folder.as_ref()].into_iter().flatten();
        let fetched = above.flat_map(|path| path.ancestors()).flat_map(|folder| {
            ["cuda", "cpu"]
                .map(|build| folder.join(format!(".deps/libtorch-{LIBTORCH_VERSION}-{build}/torch")))
        });
        beside.chain(fetched).find(|folder| is_folder(&folder.join("lib")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Surroundings {
        Surroundings {
            executable: Some("/project/target/debug/tarim".into()),
            current_folder: Some("/home/me/pictures".into()),
            ..Surroundings::default()
        }
    }

    #[test]
    fn the_renderer_is_found_beside_the_program_or_where_it_is_named() {
        let name = renderer_file_name();
        let check = |s: &Surroundings, existing: &str, expected: Result<&str, Vec<&str>>| {
            let found = s.renderer(|path| path == Path::new(existing));
            let expected: Result<PathBuf, Vec<PathBuf>> =
                expected.map(PathBuf::from).map_err(|tried| tried.into_iter().map(PathBuf::from).collect());
            assert_eq!(found, expected);
        };
        let beside = format!("/project/target/debug/{name}");
        let above = format!("/project/target/{name}");
        check(&surroundings(), &beside, Ok(&beside));
        check(&surroundings(), &above, Ok(&above));
        check(&surroundings(), "/elsewhere", Err(vec![&beside, &above]));
        let named = Surroundings { renderer: Some("/opt/r".into()), ..surroundings() };
        check(&named, "/opt/r", Ok("/opt/r"));
        check(&named, &beside, Err(vec!["/opt/r"]));
    }

    #[test]
    fn libtorch_is_the_named_one_or_the_nearest_one() {
        let check = |s: &Surroundings, existing: &[&str], expected: Option<&str>| {
            let found = s.libtorch(|path| existing.iter().any(|folder| path == Path::new(folder)));
            assert_eq!(found, expected.map(PathBuf::from));
        };
        let cpu = "/project/.deps/libtorch-2.11.0-cpu/torch";
        let cuda = "/project/.deps/libtorch-2.11.0-cuda/torch";
        check(&surroundings(), &[], None);
        check(&surroundings(), &["/project/.deps/libtorch-2.11.0-cpu/torch/lib"], Some(cpu));
        check(&surroundings(), &[&format!("{cpu}/lib"), &format!("{cuda}/lib")], Some(cuda));
        check(
            &surroundings(),
            &["/project/target/debug/libtorch/lib", &format!("{cpu}/lib")],
            Some("/project/target/debug/libtorch"),
        );
        check(
            &surroundings(),
            &["/home/me/.deps/libtorch-2.11.0-cpu/torch/lib"],
            Some("/home/me/.deps/libtorch-2.11.0-cpu/torch"),
        );
        // A named one that does not fit is reported by the renderer's failure, not passed over in silence.
        let named = Surroundings { libtorch: Some("/opt/torch".into()), ..surroundings() };
        check(&named, &[&format!("{cpu}/lib")], Some("/opt/torch"));
    }
}
