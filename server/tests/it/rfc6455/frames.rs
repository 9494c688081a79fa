//! Frames as bytes (RFC 6455, section 5.2), right and wrong ones.

/// Opcodes.
pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame of a client.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    is_last: bool,
    /// The three reserved bits.
    reserved: u8,
    opcode: u8,
    is_masked: bool,
    /// How many bytes the length takes: 0 for as few as can be.
    length_bytes: usize,
    payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            is_last: true,
            reserved: 0,
            opcode,
            is_masked: true,
            length_bytes: 0,
            payload: payload.into(),
        }
    }

    /// A part of a message, after which there are more.
    pub(crate) fn part(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            is_last: false,
            ..Self::new(opcode, payload)
        }
    }

    pub(crate) fn reserved(self, reserved: u8) -> Self {
        Self { reserved, ..self }
    }

    pub(crate) fn unmasked(self) -> Self {
        Self {
            is_masked: false,
            ..self
        }
    }

    /// With a length of 2 or 8 bytes, whether needed or not.
    pub(crate) fn length_bytes(self, length_bytes: usize) -> Self {
        Self {
            length_bytes,
            ..self
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let first = u8::from(self.is_last) << 7 | self.reserved << 4 | self.opcode;
        let length = self.payload.len() as u64;
        let masked = u8::from(self.is_masked) << 7;
        let mut bytes = vec![first];
        match (self.length_bytes, length) {
            (0, 0..=125) => bytes.push(masked | length as u8),
            (0 | 2, 0..=0xffff) => {
                bytes.push(masked | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        if !self.is_masked {
            bytes.extend(&self.payload);
            return bytes;
        }
        bytes.extend(MASK);
        let payload = self.payload.iter().zip(MASK.iter().cycle());
        bytes.extend(payload.map(|(byte, mask)| byte ^ mask));
        bytes
    }
}

/// A close frame with this code and reason.
pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    Frame::new(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
}
