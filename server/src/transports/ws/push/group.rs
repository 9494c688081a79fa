//! A group: one reader with many sockets.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Wake as _};

use bytes::Bytes;
use shared::{Channel, Transport, WireFormat};
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::calls::Call;
use super::{Returned, SocketState};
use crate::encoding;
use crate::market::{Frame, Market, Reader, SymbolSet, Told};
use crate::metrics::{Metrics, Stopwatch};
use crate::transports::HEARTBEAT;
use crate::wire::Wire;

/// How many sockets are written to before the task yields.
const TURN: usize = 64;

/// How many sockets were written to since the task yielded.
#[derive(Debug, Default)]
pub(super) struct Turn(usize);

impl Turn {
    /// Counts writes to sockets, and yields after [`TURN`] of them.
    async fn wrote_to(&mut self, count: usize) {
        self.0 += count;
        if self.0 >= TURN {
            self.0 = 0;
            yield_now().await;
        }
    }
}

/// A socket that was handed over.
#[derive(Debug)]
pub(super) struct Member {
    number: u64,
    wire: Wire,
    told: Told,
    back: oneshot::Sender<Returned>,
}

impl Member {
    pub(super) fn new(
        number: u64,
        wire: Wire,
        told: Told,
        back: oneshot::Sender<Returned>,
    ) -> Self {
        Self {
            number,
            wire,
            told,
            back,
        }
    }

    fn hand_back(self, state: SocketState, rest: Bytes) {
        let told = self.told;
        // A session that has ended does not need it any more.
        let _ = self.back.send(Returned { told, state, rest });
    }

    /// Writes frames, after which the client was told this. If not all bytes were
    /// taken, returns the state of the socket and the remaining bytes.
    fn write(&mut self, frames: &[Frame], after: Told) -> Option<(SocketState, Bytes)> {
        let (written, size) = match frames {
            [frame] => (self.wire.try_write(&frame.framed), frame.framed.len()),
            frames => {
                let slices = frames.iter().map(|frame| IoSlice::new(&frame.framed));
                let size = frames.iter().map(|frame| frame.framed.len()).sum();
                (self.wire.try_write_vectored(&Vec::from_iter(slices)), size)
            }
        };
        match written {
            Ok(written) => {
                self.told = after;
                let is_flushed = self.wire.try_flush();
                match (written < size, is_flushed) {
                    (_, Err(_)) => Some((SocketState::Closed, Bytes::new())),
                    (true, _) => Some((SocketState::Full, rest_of(frames, written))),
                    (false, Ok(true)) => None,
                    // The session sees to it that the rest is sent.
                    (false, Ok(false)) => Some((SocketState::Full, Bytes::new())),
                }
            }
            // Nothing was taken: the session sends later, perhaps from newer
            // batches.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Some((SocketState::Full, Bytes::new()))
            }
            Err(_) => Some((SocketState::Closed, Bytes::new())),
        }
    }
}

/// Sockets that get the same messages.
#[derive(Debug)]
pub(super) struct Group {
    format: WireFormat,
    reader: Reader,
    /// Signals that there is something to read.
    call: Arc<Call>,
    members: Vec<Member>,
    /// Beats since the last write.
    silent: u64,
}

impl Group {
    pub(super) fn new(
        market: &Arc<Market>,
        set: &Arc<SymbolSet>,
        format: WireFormat,
        call: Arc<Call>,
        member: Member,
    ) -> Self {
        let encoding = encoding::of(format);
        let mut reader = Reader::resuming(market, encoding, Arc::clone(set), member.told);
        let waker = call.waker();
        if reader.poll_news(&Context::from_waker(&waker)).is_ready() {
            waker.wake();
        }
        Self {
            format,
            reader,
            call,
            members: vec![member],
            silent: 0,
        }
    }

    pub(super) fn of(&self) -> (&Arc<SymbolSet>, WireFormat) {
        (self.reader.set(), self.format)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a member. A member that is ahead of the group waits until the group
    /// reaches it. A member that is behind is moved to the group's position by
    /// a heartbeat, if there is nothing of the set in between. Otherwise it is
    /// handed back to catch up first.
    pub(super) fn join(&mut self, mut member: Member, metrics: &Metrics) {
        let told = self.reader.told();
        if member.told.standings < told.standings {
            return member.hand_back(SocketState::Writable, Bytes::new());
        }
        if member.told.sent < told.sent {
            if self.reader.has_news_after(member.told.sent) {
                return member.hand_back(SocketState::Writable, Bytes::new());
            }
            let frame = self.reader.heartbeat_between(member.told.sent, told.sent);
            let frames = Vec::from_iter(frame);
            let written = member.write(&frames, told);
            if member.told == told {
                self.count(1, &frames, metrics);
            }
            if let Some((state, rest)) = written {
                return member.hand_back(state, rest);
            }
        }
        self.members.push(member);
    }

    /// Counts frames that were sent to so many members.
    fn count(&self, members: usize, frames: &[Frame], metrics: &Metrics) {
        let channel = Channel::new(Transport::WebSocket, self.format);
        for frame in frames {
            metrics
                .of(channel)
                .sent_to(members, frame.bytes.len(), frame.ticks);
        }
    }

    pub(super) fn leave(&mut self, number: u64) {
        let place = self
            .members
            .iter()
            .position(|member| member.number == number);
        if let Some(place) = place {
            self.members
                .swap_remove(place)
                .hand_back(SocketState::Writable, Bytes::new());
        }
    }

    /// Reads once, and writes what is new. If there is more by then, the group
    /// calls again, so that orders and other groups have their turn.
    pub(super) async fn push_new(&mut self, metrics: &Metrics, turn: &mut Turn) {
        self.call.answer();
        if !self.reader.has_news() {
            return;
        }
        let before = self.reader.told().sent;
        let frames = self.reader.read();
        if !frames.is_empty() {
            self.push(before, &frames, metrics, turn).await;
        }
        if self.reader.has_news() {
            self.call.wake_by_ref();
        }
    }

    /// Counts a beat of the timer, and sends a heartbeat if the group was
    /// silent for too long.
    pub(super) async fn beat(&mut self, metrics: &Metrics, turn: &mut Turn) {
        self.silent += 1;
        if self.reader.has_news() {
            return self.push_new(metrics, turn).await;
        }
        if self.silent < HEARTBEAT.as_secs() {
            return;
        }
        let before = self.reader.told().sent;
        if let Some(frame) = self.reader.heartbeat() {
            self.push(before, &[frame], metrics, turn).await;
        }
    }

    /// Writes frames that follow the position `before` to all members.
    async fn push(&mut self, before: u64, frames: &[Frame], metrics: &Metrics, turn: &mut Turn) {
        self.silent = 0;
        let channel = Channel::new(Transport::WebSocket, self.format);
        let mut left = self.members.len();
        while left > 0 {
            let watch = Stopwatch::start(channel);
            let places = left.saturating_sub(TURN)..left;
            let mut sent = 0;
            // From the end, since `swap_remove` replaces a leaving member by
            // the last one.
            for place in places.clone().rev() {
                sent += usize::from(self.tell(place, before, frames));
            }
            left = places.start;
            self.count(sent, frames, metrics);
            if let Some(watch) = watch {
                metrics.of(channel).spent(watch.elapsed());
            }
            turn.wrote_to(places.len()).await;
        }
    }

    /// Writes frames to one member, and hands it back if it does not take all
    /// of them. Returns whether it was sent the frames.
    fn tell(&mut self, place: usize, before: u64, frames: &[Frame]) -> bool {
        let after = self.reader.told();
        let member = &mut self.members[place];
        let own;
        let frames = match unseen(member.told.sent, before, frames) {
            Some([]) => return false,
            Some(frames) => frames,
            None if is_heartbeat(frames) => {
                own = Vec::from_iter(self.reader.heartbeat_between(member.told.sent, after.sent));
                &own
            }
            // Its position is not at the start of any of these messages.
            None => {
                let member = self.members.swap_remove(place);
                member.hand_back(SocketState::Writable, Bytes::new());
                return false;
            }
        };
        let Some((state, rest)) = member.write(frames, after) else {
            return true;
        };
        let was_sent = member.told == after;
        self.members.swap_remove(place).hand_back(state, rest);
        was_sent
    }
}

fn is_heartbeat(frames: &[Frame]) -> bool {
    frames.iter().all(|frame| frame.event == "heartbeat")
}

/// The frames that a client at position `sent` has not seen, of those that
/// follow the position `before`; `None` if no frame starts at its position.
fn unseen(sent: u64, before: u64, frames: &[Frame]) -> Option<&[Frame]> {
    if sent == before {
        return Some(frames);
    }
    let cursors = frames
        .iter()
        .map(|frame| frame.cursor.map(|cursor| cursor.seq));
    let seen = cursors
        .enumerate()
        .find(|(_, cursor)| *cursor == Some(sent));
    match seen {
        Some((place, _)) => Some(&frames[place + 1..]),
        // The client is ahead of all of them.
        None => {
            let last = frames.last().and_then(|frame| frame.cursor);
            last.is_some_and(|cursor| cursor.seq < sent).then_some(&[])
        }
    }
}

/// The bytes of the frames that remain after `written` of them were written.
fn rest_of(frames: &[Frame], written: usize) -> Bytes {
    let all: Vec<u8> = frames
        .iter()
        .flat_map(|frame| frame.framed.iter().copied())
        .collect();
    Bytes::from(all).slice(written..)
}

#[cfg(test)]
mod tests {
    use shared::{Cursor, Epoch};

    use super::*;

    fn frame(seq: u64) -> Frame {
        let epoch = Epoch::from_number(7);
        Frame {
            event: "ticks",
            bytes: Bytes::from(vec![seq as u8; 3]),
            framed: Bytes::from(vec![seq as u8; 5]),
            cursor: Some(Cursor { epoch, seq }),
            ticks: 1,
        }
    }

    #[test]
    fn nobody_is_told_what_they_have_seen() {
        let frames = [frame(12), frame(15), frame(20)];
        for (sent, expect) in [
            (10, Some(&[12, 15, 20][..])),
            (12, Some(&[15, 20])),
            (15, Some(&[20])),
            (20, Some(&[])),
            (25, Some(&[])),
            (11, None),
            (13, None),
        ] {
            let found = unseen(sent, 10, &frames);
            let found = found.map(|frames| frames.iter().map(|frame| frame.cursor.unwrap().seq));
            assert_eq!(found.map(Vec::from_iter).as_deref(), expect, "sent {sent}");
        }
    }

    #[test]
    fn what_is_left_follows_what_was_written() {
        let frames = [frame(1), frame(2)];
        assert_eq!(rest_of(&frames, 3), [1, 1, 2, 2, 2, 2, 2][..]);
        assert_eq!(rest_of(&frames, 7), [2, 2, 2][..]);
    }
}
