//! The command line.

mod allocator;
mod check;
mod demo;
mod index;
mod inspect;
mod local;
mod serve;
mod terminal;
mod token;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Serves the output of SWIFT cosmological simulations over the network.
#[derive(Parser)]
#[command(name = "apus", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    Index(index::Index),
    Inspect(inspect::Inspect),
    Check(check::Check),
    Token(token::Token),
    User(user::User),
}

fn main() -> ExitCode {
    // Before any thread starts, because this sets environment variables (those that are not set yet).
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return terminal::fail(&anyhow::Error::new(error).context("cannot read .env"));
    }
    let command = Cli::parse().command;
    if matches!(command, Command::Serve(_) | Command::Demo(_)) {
        allocator::tune();
    }
    let outcome = match command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Index(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::User(command) => command.run(),
    };
    outcome.unwrap_or_else(|error| terminal::fail(&error))
}
