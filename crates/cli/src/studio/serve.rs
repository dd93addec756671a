//! `tarim serve`: the studio in a browser.

use std::process::Command;
use std::thread;

use tarim_server::{Server, Token};
use tarim_studio::{How, Origin, Role};

use super::Door;
use crate::args::ServeOptions;
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;

pub(crate) fn run(options: &ServeOptions, environment: &Environment) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // The studio has threads of its own; these carry bytes.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error(Exit::Failure, &error))?;
    let mut random = [0; 32];
    tarim_machine::random(&mut random);
    // Before the studio opens: a port that is taken should not start a queue.
    let server = runtime.block_on(Server::bind(options.listen, Token::new(random))).map_err(|error| {
        let hint = error.hint();
        Failure::from_error(Exit::Failure, &error).hint(hint)
    })?;
    let door = Door::open(environment, options.library.as_deref(), Origin::Browser, Role::Owner)?;
    let url = server.url();
    output::line(&url);
    if server.is_guarded() {
        output::note(
            "Other machines can reach this address. Whoever has the whole address, token and all, is let in;",
        );
        output::note("it travels unencrypted, so use it in networks that you trust.");
    }
    output::note(
        "Ctrl-C stops; the picture in work is begun again at the next start. Once more ends at once.",
    );
    if options.open {
        open(&url);
    }
    let studio = door.studio.clone();
    let result = runtime.block_on(async move {
        let stop = async {
            stopped().await;
            output::note("stopping");
        };
        server.run(studio, stop).await
    });
    // Whoever asks twice does not want to wait for the picture in work to be put back.
    thread::spawn(move || {
        runtime.block_on(stopped());
        std::process::exit(Exit::Cancelled.code().into());
    });
    door.studio.close(How::StopNow);
    result.map_err(|error| {
        let hint = error.hint();
        Failure::from_error(Exit::Failure, &error).hint(hint)
    })
}

/// Ready when somebody asks the program to stop.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return wait_for_ctrl_c().await;
        };
        tokio::select! {
            () = wait_for_ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    wait_for_ctrl_c().await;
}

async fn wait_for_ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // It cannot be listened to; then it ends the program by itself.
        std::future::pending::<()>().await;
    }
}

/// Opens an address in the person's browser.
fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    if Command::new(program).args(arguments).arg(url).spawn().is_err() {
        output::warning("no browser could be started; open the address yourself");
    }
}
