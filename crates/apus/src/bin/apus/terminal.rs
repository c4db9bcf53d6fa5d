//! Shared by the commands that print for people.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use tokio::runtime;

/// How a shell counts a process that SIGPIPE has ended.
const BROKEN_PIPE: u8 = 128 + 13;

/// Prints a line, or several, as the command's answer.
///
/// Errors: standard output takes no more: its reader has gone, or its device is full.
pub(crate) fn print(text: impl Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Prints a line beside the answer. Who does not read it misses nothing.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says why the command failed. A reader that has gone, as `head` does, is told nothing.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    let is_broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(is_broken_pipe) {
        return ExitCode::from(BROKEN_PIPE);
    }
    note(format_args!("apus: {}", told(error)));
    ExitCode::FAILURE
}

/// The error and its causes, each once: many errors tell their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Runs an async command.
pub(crate) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// Unix seconds as a date in UTC: `2026-04-01T13:05:59Z`.
pub(crate) fn date(unix_s: i64) -> String {
    let (days, second) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    // Howard Hinnant's `civil_from_days`: eras of 400 years that begin on 1 March.
    let z = days + 719_468;
    let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = |text: &'static str| anyhow::Error::msg(text);
        assert_eq!(told(&error("no space").context("cannot write")), "cannot write: no space");
        assert_eq!(told(&error("no space").context("cannot write: no space")), "cannot write: no space");
    }

    /// Expected: Python's `datetime.fromtimestamp(s, UTC)`.
    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(1_775_048_759), "2026-04-01T13:05:59Z");
        assert_eq!(date(4_102_444_800), "2100-01-01T00:00:00Z");
        assert_eq!(date(-1), "1969-12-31T23:59:59Z");
    }
}
