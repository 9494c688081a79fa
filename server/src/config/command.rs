//! The command line: a flag for each setting, and what is done with a store's
//! file.

use clap::{Arg, ArgAction, Command};

use super::settings;
use super::tools;

/// What the command line can be.
pub(super) fn command() -> Command {
    let mut command = Command::new("tickwire")
        .bin_name("tickwire")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Live prices over WebSocket, server-sent events, long polling and polling")
        .after_help(
            "Each option can also be set as an environment variable (TICKWIRE_FLUSH_MS=16) and \
             as a key in the file that --config names (flush_ms = 16). A flag wins over the \
             environment, the environment over the file. RUST_LOG sets what is logged.",
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .global(true)
                .help("A TOML file with any of these settings [env: TICKWIRE_CONFIG]"),
        )
        .subcommands(tools::commands());
    for setting in settings::all() {
        let default = match setting.default {
            Some(default) => format!(" [default: {default}]"),
            None => String::new(),
        };
        let help = format!("{} [env: {}]{default}", setting.help, setting.variable());
        // `--loop` is as much as `--loop on`.
        let is_switch = setting.default == Some("off");
        command = command.arg(
            Arg::new(setting.name)
                .num_args(if is_switch { 0..=1 } else { 1..=1 })
                .default_missing_value("on")
                .long(setting.name)
                .value_name(setting.value_name)
                .action(if setting.many {
                    ArgAction::Append
                } else {
                    ArgAction::Set
                })
                .allow_hyphen_values(!is_switch)
                // What is done with a file without a server has to know which.
                .global(setting.name == "store")
                .help(help),
        );
    }
    command
}
