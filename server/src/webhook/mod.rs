//! Webhooks: notify other programs of each alert that fires, by an HTTP
//! request.

mod request;
mod template;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use self::request::Sender;
use crate::alerts::Firings;
use crate::deliveries::{AT_ONCE, Deliveries, Delivery};

pub use self::request::{Address, AddressError, Secret};
pub use self::template::{Template, TemplateError};

/// The receivers of alerts, and how requests to them are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookConfig {
    /// The URLs of the receivers.
    pub addresses: Vec<Address>,
    /// The template of bodies; without one, a body is a firing as JSON.
    pub template: Option<Template>,
    /// The secret that bodies are signed with.
    pub secret: Option<Secret>,
}

/// All receivers.
#[derive(Debug)]
pub(crate) struct Webhooks(Vec<Webhook>);

/// One receiver.
#[derive(Debug)]
struct Webhook {
    deliveries: Arc<Deliveries>,
    sender: Sender,
}

impl Webhooks {
    /// The receivers that the configuration names. Pending deliveries are
    /// stored if `is_stored`.
    ///
    /// # Errors
    ///
    /// This machine cannot verify certificates.
    pub(crate) fn new(config: &WebhookConfig, is_stored: bool) -> std::io::Result<Self> {
        let mut names = HashSet::new();
        let webhook = |address: &Address| {
            let host = address.host();
            let mut numbered = (2..).map(|number| format!("{host} ({number})"));
            let mut name = host.to_owned();
            while !names.insert(name.clone()) {
                name = numbered.next().unwrap_or_default();
            }
            Ok(Webhook {
                deliveries: Arc::new(Deliveries::new(address.id(), name, is_stored)),
                sender: Sender::new(address, config)?,
            })
        };
        config
            .addresses
            .iter()
            .map(webhook)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The pending deliveries of each receiver.
    pub(crate) fn deliveries(&self) -> Vec<Arc<Deliveries>> {
        let all = self.0.iter();
        all.map(|webhook| Arc::clone(&webhook.deliveries)).collect()
    }

    /// Sends each firing until the server stops. The market does not wait for
    /// this, and receivers do not wait for each other.
    pub(crate) async fn run(&self, firings: UnboundedReceiver<Firings>, stop: CancellationToken) {
        let senders = self.0.iter().flat_map(|webhook| {
            let sender = || webhook.send();
            std::iter::repeat_with(sender).take(AT_ONCE)
        });
        let sending = async { tokio::join!(self.listen(firings), join_all(senders)) };
        stop.run_until_cancelled(sending).await;
        self.say_what_is_left();
    }

    /// Queues each firing for every receiver.
    async fn listen(&self, mut firings: UnboundedReceiver<Firings>) {
        while let Some(firings) = firings.recv().await {
            for Webhook { deliveries, .. } in &self.0 {
                let firings = firings.iter();
                let deliver = |firing| Delivery::new(Arc::clone(firing), firing.at());
                deliveries.extend(firings.map(|(_, firing)| deliver(firing)));
            }
        }
    }

    fn say_what_is_left(&self) {
        for Webhook { deliveries, .. } in &self.0 {
            let status = deliveries.status();
            let (receiver, left) = (status.receiver, status.waiting);
            match (left, deliveries.is_stored()) {
                (0, _) => {}
                (_, true) => tracing::info!(
                    receiver,
                    left,
                    "the webhook is told of the rest when the server runs again"
                ),
                (_, false) => tracing::warn!(
                    receiver,
                    left,
                    "the webhook was not told of all alerts, and without a store never is"
                ),
            }
        }
    }
}

impl Webhook {
    /// Sends deliveries one after the other.
    async fn send(&self) {
        loop {
            let delivery = self.deliveries.next().await;
            let outcome = self.sender.send(&delivery.firing).await;
            self.deliveries.settle(delivery, outcome);
        }
    }
}
