//! The grammar of `tarim batch` and `tarim grid`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::queue::DraftOptions;

/// Draw prompt sets: plan, run, go on, look
///
/// A set is a table: CSV, TSV, XLSX, ODS, JSON, JSON Lines, or a prompt a line. A file is read into the library's set of
/// its name. What exists already is not drawn again.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct BatchOptions {
    #[command(subcommand)]
    pub(crate) command: BatchCommand,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) library: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    all pictures are done
  1    some failed, or were not begun in time
  2    the command line cannot be understood
  3    the file, its rows or its models cannot be used
  130  stopped by Ctrl-C; `tarim batch resume` goes on";

#[derive(Subcommand)]
pub(crate) enum BatchCommand {
    /// Say what a run would be: pictures, time, room, rows that cannot run
    Plan(RunChoices),
    /// Run a set and wait for its pictures; prints the path of each
    Run {
        #[command(flatten)]
        choices: RunChoices,
        #[command(flatten)]
        report: ReportOption,
        /// Only put the pictures into the queue
        #[arg(long, help_heading = "Ending")]
        detach: bool,
    },
    /// Go on with a run that was stopped, paused or held
    Resume {
        /// A file, a set's name or id, or a run's id; the latest unfinished run when not given
        which: Option<String>,
        #[command(flatten)]
        report: ReportOption,
        /// Draw also what failed or was cancelled
        #[arg(long, help_heading = "Pictures")]
        retry: bool,
        #[command(flatten)]
        conditions: Conditions,
    },
    /// Say how runs stand, whoever works on them
    Status {
        /// A file, a set's name or id, or a run's id; the latest runs when not given
        which: Option<String>,
        #[command(flatten)]
        report: ReportOption,
    },
}

/// Which set is run, and how.
#[derive(Args)]
pub(crate) struct RunChoices {
    /// A file, or the name or id of a set in the library
    #[arg(value_name = "FILE|SET")]
    pub(crate) set: String,
    /// The sheet of a workbook; else the first one with rows
    #[arg(long, value_name = "NAME", help_heading = "Set")]
    pub(crate) sheet: Option<String>,
    /// Read the file into a set of its own even if there is one of its name
    #[arg(long, help_heading = "Set")]
    pub(crate) new_set: bool,
    /// The model for rows that name none: its name, id or path
    #[arg(short, long, help_heading = "Set")]
    pub(crate) model: Option<String>,
    /// Only these rows, as the file numbers them, such as `2-10,15`
    #[arg(long, value_name = "NUMBERS", help_heading = "Set")]
    pub(crate) rows: Option<Numbers>,
    /// Run the good rows though there are bad ones
    #[arg(long, help_heading = "Set")]
    pub(crate) skip_bad: bool,
    /// Draw also what exists
    #[arg(long, help_heading = "Pictures")]
    pub(crate) again: bool,
    /// Draw also what exists in the trash alone
    #[arg(long, help_heading = "Pictures")]
    pub(crate) replace_trashed: bool,
    /// New seeds for rows without one; later runs keep them
    #[arg(long, help_heading = "Pictures")]
    pub(crate) new_seeds: bool,
    /// The run's name; else the set's
    #[arg(long, help_heading = "Pictures")]
    pub(crate) name: Option<String>,
    /// A tag for the pictures; can be given several times
    #[arg(long, help_heading = "Pictures")]
    pub(crate) tag: Vec<String>,
    /// The project, for rows that name none
    #[arg(long, help_heading = "Pictures")]
    pub(crate) project: Option<String>,
    /// Higher goes first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, help_heading = "Pictures")]
    pub(crate) priority: i32,
    #[command(flatten)]
    pub(crate) conditions: Conditions,
}

/// When pictures may be begun.
#[derive(Args)]
#[command(next_help_heading = "When")]
pub(crate) struct Conditions {
    /// Begin no picture that would not be done by then: `07:00`, `2027-01-31 07:00`, or `8h`, `90m` from now
    #[arg(long, value_name = "TIME")]
    pub(crate) finish_by: Option<String>,
    /// Begin none while the machine runs on its battery
    #[arg(long)]
    pub(crate) spare_battery: bool,
    /// Begin none while somebody works at the machine
    #[arg(long)]
    pub(crate) spare_user: bool,
}

#[derive(Args)]
pub(crate) struct ReportOption {
    /// Write a report (.html, .md or .json); an older one is replaced
    #[arg(long, value_name = "FILE", help_heading = "Ending")]
    pub(crate) report: Option<PathBuf>,
}

/// Numbers of rows, from one to another, both included.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(Vec<(u32, u32)>);

impl Numbers {
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&number))
    }
}

impl std::str::FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no list of rows; write `3`, `2-10` or `2-10,15`");
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let range = |part: &str| match part.split_once('-') {
            None => number(part).map(|one| (one, one)),
            Some((from, to)) => Ok((number(from)?, number(to)?)),
        };
        let ranges: Vec<(u32, u32)> = text.split(',').map(range).collect::<Result<_, _>>()?;
        if ranges.iter().any(|(from, to)| from > to) { Err(wrong()) } else { Ok(Self(ranges)) }
    }
}

/// Draw a comparison along up to three axes, and its labelled grid
///
/// The same command again goes on where it stopped.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct GridOptions {
    #[command(flatten)]
    pub(crate) draft: DraftOptions,
    /// Across: a field and its values, such as `steps=10,20,30`, `guidance=4-8 (+2)`, `prompt_sr=red,blue,green`
    #[arg(short, long, value_name = "FIELD=VALUES", help_heading = "Axes")]
    pub(crate) x: Option<AxisOption>,
    /// Down
    #[arg(short, long, value_name = "FIELD=VALUES", help_heading = "Axes")]
    pub(crate) y: Option<AxisOption>,
    /// Grid after grid
    #[arg(short, long, value_name = "FIELD=VALUES", help_heading = "Axes")]
    pub(crate) z: Option<AxisOption>,
    /// The grid as a picture (.png)
    #[arg(short, long, value_name = "FILE", help_heading = "Grid")]
    pub(crate) out: Option<PathBuf>,
    /// The grid as a page that zooms (.html)
    #[arg(long, value_name = "FILE", help_heading = "Grid")]
    pub(crate) html: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long, help_heading = "Grid")]
    pub(crate) force: bool,
    /// The comparison's name in the library; else the beginning of the prompt
    #[arg(long, help_heading = "Grid")]
    pub(crate) name: Option<String>,
    /// Draw also what exists
    #[arg(long, help_heading = "Grid")]
    pub(crate) again: bool,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER")]
    pub(crate) library: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// An axis of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct AxisOption {
    pub(crate) field: String,
    pub(crate) values: String,
}

impl std::str::FromStr for AxisOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((field, values)) if !field.trim().is_empty() => {
                Ok(Self { field: field.trim().to_owned(), values: values.trim().to_owned() })
            }
            _ => Err(format!("`{text}` is no axis; write a field, `=` and its values: `steps=10,20,30`")),
        }
    }
}
