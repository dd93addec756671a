//! What the program reads from its surroundings, in one place.

use std::io::{self, IsTerminal};
use std::ops::Deref;

use tarim_machine::Machine;

/// The machine, and whether a person looks on. Each environment variable is named in `tarim --help`.
pub(crate) struct Environment {
    machine: Machine,
    /// Whether a person looks at stderr.
    pub(crate) stderr_is_terminal: bool,
}

impl Environment {
    pub(crate) fn read() -> Self {
        Self { machine: Machine::read(), stderr_is_terminal: io::stderr().is_terminal() }
    }
}

impl Deref for Environment {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}
