//! NATS, as the cluster uses it: a stream for the log, a key for the lease, an object
//! for checkpoints, and a subject for calls.

mod checkpoints;
mod lease;

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::kv::{self, Store};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::object_store::{self, ObjectStore};
use async_nats::jetstream::stream::{
    self, DiscardPolicy, RawMessageErrorKind, StorageType, Stream,
};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, HeaderMap, Subscriber};
use bytes::Bytes;
use shared::{Cursor, Time};

pub(crate) use self::lease::Holder;
use super::config::SharedLogConfig;
use super::record::{Head, Record, RecordError};
use super::saved::Saved;
use super::turn::LEASE;

/// The timeout for anything that is asked of NATS.
const PATIENCE: Duration = Duration::from_secs(2);
/// A call that is passed to the leader, or a checkpoint, may take longer.
const CALL_PATIENCE: Duration = Duration::from_secs(10);
/// How long messages stay in the stream, if there is room.
const KEPT_FOR: Duration = Duration::from_secs(6 * 3_600);
/// A message of NATS has to have room for so many bytes.
const MESSAGE_BYTES: usize = 1_000_000;
/// The most copies of everything.
const COPIES_MAX: usize = 3;

/// NATS does not do what it is asked, and why not, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("NATS: {0}")]
pub(crate) struct BusError(String);

fn failed(error: impl fmt::Display) -> BusError {
    BusError(error.to_string())
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is this message.
    As(u64),
    /// It does not follow the last message.
    Refused,
    /// NATS takes no message that is so long.
    TooLong,
    /// Nobody knows.
    Unclear,
}

/// The stream's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// When the stream was made, in ns since the epoch: another one has another time.
    pub(crate) made: i64,
    /// The first message that there is, and the last one there was.
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A connection to NATS.
#[derive(Clone)]
pub(crate) struct Bus {
    client: Client,
    context: Context,
    name: String,
    copies: usize,
    bytes_max: u64,
    lease: Store,
    objects: ObjectStore,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Bus {
    /// Connects, and makes what is not there yet.
    pub(crate) async fn connect(config: &SharedLogConfig) -> Result<Self, BusError> {
        let options = ConnectOptions::new()
            .connection_timeout(PATIENCE)
            .request_timeout(Some(CALL_PATIENCE))
            .name("tickwire")
            // A server that came back is found soon.
            .reconnect_delay_callback(|tries| Duration::from_millis(100 * tries.min(10) as u64));
        let client = options
            .connect(config.servers.clone())
            .await
            .map_err(failed)?;
        let bytes_max = client.server_info().max_payload;
        if bytes_max < MESSAGE_BYTES {
            return Err(failed(format!(
                "its max_payload is {bytes_max} bytes, and {MESSAGE_BYTES} are needed"
            )));
        }
        let mut context = jetstream::new(client.clone());
        context.set_timeout(PATIENCE);
        let copies = if config.servers.len() < COPIES_MAX {
            1
        } else {
            COPIES_MAX
        };
        let (lease, objects) = stores(&context, &config.name, copies).await?;
        let bus = Self {
            client,
            context,
            name: config.name.clone(),
            copies,
            bytes_max: config.bytes_max,
            lease,
            objects,
        };
        bus.stream().await?;
        Ok(bus)
    }

    fn subject(&self, of: &str) -> String {
        format!("tw.{}.{of}", self.name)
    }

    /// The stream, which is made if it is not there.
    async fn stream(&self) -> Result<Stream, BusError> {
        let config = stream::Config {
            name: format!("TW_{}", self.name),
            subjects: vec![self.subject("log")],
            storage: StorageType::File,
            num_replicas: self.copies,
            max_age: KEPT_FOR,
            max_bytes: i64::try_from(self.bytes_max).unwrap_or(i64::MAX),
            discard: DiscardPolicy::Old,
            deny_delete: true,
            ..stream::Config::default()
        };
        self.context
            .get_or_create_stream(config)
            .await
            .map_err(failed)
    }

    /// How far the stream reaches.
    pub(crate) async fn extent(&self) -> Result<Extent, BusError> {
        let stream = self.stream().await?;
        let info = stream.cached_info();
        Ok(Extent {
            made: i64::try_from(info.created.unix_timestamp_nanos()).unwrap_or(i64::MAX),
            first: info.state.first_sequence,
            last: info.state.last_sequence,
        })
    }

    /// The number of the last message there was, and its name if it is still there.
    pub(crate) async fn last(&self) -> Result<(u64, Option<String>), BusError> {
        let last = self.extent().await?.last;
        let record = self.record_at(last).await?;
        Ok((last, record.map(|record| record.head.name)))
    }

    /// A message; `None` if it is not there, or is none of this version.
    pub(crate) async fn record_at(&self, message: u64) -> Result<Option<Record>, BusError> {
        if message == 0 {
            return Ok(None);
        }
        let found = match self.stream().await?.get_raw_message(message).await {
            Ok(found) => found,
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let head = Head::of(Some(&found.headers));
        let record = head.and_then(|head| Record::read(head, &found.payload));
        Ok(record.ok())
    }

    /// Whether the stream has the message of this checkpoint; also if it is too old to be
    /// there.
    pub(crate) async fn has(&self, saved: &Saved) -> Result<bool, BusError> {
        let Some(newest) = &saved.newest else {
            return Ok(true);
        };
        let record = self.record_at(saved.message).await?;
        Ok(record.is_none_or(|record| record.head.name == *newest))
    }

    /// Writes a record; if a message is given, only to follow that one.
    pub(crate) async fn write(&self, record: &Record, after: Option<u64>) -> Written {
        let head = &record.head;
        let publish = PublishMessage::build()
            .payload(record.body())
            .message_id(&head.name)
            .expected_stream(format!("TW_{}", self.name))
            .header("Tw-Epoch", head.epoch.to_string())
            .header("Tw-Before", head.before.to_string())
            .header("Tw-Last", head.last.to_string())
            .header("Tw-Term", head.term.to_string())
            .header("Tw-Node", head.node.as_str())
            .header("Tw-Sent", head.sent.micros().to_string());
        let publish = match after {
            Some(after) => publish.expected_last_sequence(after),
            None => publish,
        };
        let publish = match &head.follows {
            Some(follows) => publish.header("Tw-Follows", follows.as_str()),
            None => publish,
        };
        let written = async {
            let sent = self.context.send_publish(self.subject("log"), publish);
            sent.await?.await
        };
        match written.await {
            Ok(acknowledged) => Written::As(acknowledged.sequence),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Written::Refused,
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => Written::TooLong,
            Err(error) => {
                tracing::debug!(%error, "a write has no answer");
                Written::Unclear
            }
        }
    }

    /// The records from this message on.
    pub(crate) async fn records_from(&self, first: u64) -> Result<Ordered, BusError> {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: first,
            },
            filter_subject: self.subject("log"),
            ..OrderedConfig::default()
        };
        let consumer = self.stream().await?.create_consumer(config).await;
        consumer.map_err(failed)?.messages().await.map_err(failed)
    }

    /// Passes a call to the leader.
    pub(crate) async fn call(&self, call: Vec<u8>) -> Result<Bytes, BusError> {
        let answer = self.client.request(self.subject("call"), call.into()).await;
        answer.map(|answer| answer.payload).map_err(failed)
    }

    /// The calls for the leader, from now on.
    pub(crate) async fn calls(&self) -> Result<Subscriber, BusError> {
        self.client
            .subscribe(self.subject("call"))
            .await
            .map_err(failed)
    }

    /// Answers a call.
    pub(crate) async fn answer(&self, to: async_nats::Subject, answer: Vec<u8>) {
        // Whoever asked may have gone.
        let _ = self.client.publish(to, answer.into()).await;
    }
}

/// The buckets of the lease and of checkpoints, which are made if they are not there.
async fn stores(
    context: &Context,
    name: &str,
    copies: usize,
) -> Result<(Store, ObjectStore), BusError> {
    let lease = kv::Config {
        bucket: format!("TW_{name}"),
        max_age: LEASE,
        num_replicas: copies,
        ..kv::Config::default()
    };
    let lease = context.create_key_value(lease).await.map_err(failed)?;
    let objects = object_store::Config {
        bucket: format!("TW_{name}"),
        num_replicas: copies,
        ..object_store::Config::default()
    };
    let objects = context.create_object_store(objects).await.map_err(failed)?;
    Ok((lease, objects))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.as_str().to_owned())
}

impl Head {
    /// Reads the headers of a message.
    ///
    /// # Errors
    ///
    /// One is missing or wrong.
    pub(crate) fn of(headers: Option<&HeaderMap>) -> Result<Self, RecordError> {
        let text = |name: &'static str| {
            let found = headers.and_then(|headers| header(headers, name));
            found.ok_or(RecordError::Head(name))
        };
        let number = |name: &'static str| {
            let number = text(name)?.parse::<u64>();
            number.map_err(|_| RecordError::Head(name))
        };
        let sent = i64::try_from(number("Tw-Sent")?).map_err(|_| RecordError::Head("Tw-Sent"))?;
        Ok(Self {
            name: text("Nats-Msg-Id")?,
            follows: text("Tw-Follows").ok(),
            // As a cursor writes it.
            epoch: format!("{}-0", text("Tw-Epoch")?)
                .parse::<Cursor>()
                .map_err(|_| RecordError::Head("Tw-Epoch"))?
                .epoch,
            before: number("Tw-Before")?,
            last: number("Tw-Last")?,
            node: text("Tw-Node")?,
            term: number("Tw-Term")?,
            sent: Time::from_micros(sent),
        })
    }
}
