//! Carries out the store's alert commands.

use futures_channel::mpsc;
use futures_util::StreamExt;
use shared::{AlertSpec, Condition, PriceKind};

use super::api;
use crate::requests::{AlertAnswer, AlertCommand};

/// The cooldown of an alert that is added from a chart, in seconds.
const COOLDOWN_S: u32 = 60;
/// How many firings are listed.
const FIRED: u32 = 1_000;

/// Carries out alert commands, one after the other.
pub(crate) async fn serve(
    mut commands: mpsc::UnboundedReceiver<AlertCommand>,
    tell: impl Fn(AlertAnswer),
) {
    while let Some(command) = commands.next().await {
        let is_list = matches!(command, AlertCommand::List);
        tell(AlertAnswer::Begun { is_list });
        tell(carry_out(command).await);
    }
}

async fn carry_out(command: AlertCommand) -> AlertAnswer {
    match command {
        AlertCommand::List => match api::alerts(usize::MAX).await {
            Ok((all, _)) => AlertAnswer::All(all),
            Err(_) => AlertAnswer::Again(AlertCommand::List),
        },
        AlertCommand::Fired => match api::fired(FIRED).await {
            Ok(fired) => AlertAnswer::Fired(fired),
            Err(_) => AlertAnswer::Again(AlertCommand::Fired),
        },
        AlertCommand::Move(alert, level) => {
            let mut spec = alert.spec.clone();
            spec.condition = spec.condition.at(level);
            match api::replace_alert(&alert, &spec).await {
                Ok(moved) => AlertAnswer::Changed(moved),
                Err(error) => AlertAnswer::Failed {
                    alert: Some(alert.id),
                    error,
                },
            }
        }
        AlertCommand::Add(symbol, level) => {
            let spec = AlertSpec {
                symbol,
                condition: Condition::Crosses(level),
                on: PriceKind::Last,
                repeat: false,
                cooldown_s: COOLDOWN_S,
                enabled: true,
                note: String::new(),
            };
            match api::create_alert(&spec).await {
                Ok(added) => AlertAnswer::Changed(added),
                Err(error) => AlertAnswer::Failed { alert: None, error },
            }
        }
    }
}
