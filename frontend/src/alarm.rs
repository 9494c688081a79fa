//! What calls a person who does not look: a sound, and the system's
//! notifications.

use js_sys::{Array, Uint8Array};
use shared::Firing;
use web_sys::{
    Blob, HtmlAudioElement, Notification, NotificationOptions, NotificationPermission, Url,
};

use crate::format;
use crate::settings::{ON, Settings};

/// Of the sound: samples a second, and how many there are.
const RATE: u32 = 8_000;
const SAMPLES: u32 = 2_400;
/// Its pitch, in samples a wave.
const WAVE: u32 = 10;

/// Calls, as far as that was set and the browser allows it.
pub(crate) fn raise(settings: Settings, firing: &Firing) {
    if settings.sound.is_untracked(ON) {
        // A browser plays nothing on a page that nobody has touched yet.
        let _ = play();
    }
    if settings.notify.is_untracked(ON)
        && Notification::permission() == NotificationPermission::Granted
    {
        let options = NotificationOptions::new();
        options.set_body(&firing.note);
        // Two pages of one browser tell it once.
        options.set_tag(&format!("tickwire-{}-{}", firing.id, firing.count));
        // Fails where only a service worker may.
        let _ = Notification::new_with_options(&format::firing(firing), &options);
    }
}

/// Plays a short tone.
pub(crate) fn play() -> Option<()> {
    let data = Uint8Array::from(&tone()[..]);
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&data)).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let audio = HtmlAudioElement::new_with_src(&url).ok()?;
    // It ends by itself, or is refused.
    let _ = audio.play().ok()?;
    Some(())
}

/// A WAVE file of one channel, 8 bits a sample, whose loudness falls.
fn tone() -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    let fields: [u32; 5] = [16, 0x0001_0001, RATE, RATE, 0x0008_0001];
    fields
        .iter()
        .for_each(|field| file.extend(field.to_le_bytes()));
    file.extend(b"data");
    file.extend(SAMPLES.to_le_bytes());
    for sample in 0..SAMPLES {
        let loudness = 60 * (SAMPLES - sample) / SAMPLES;
        let high = sample % WAVE < WAVE / 2;
        file.push(if high { 128 + loudness } else { 128 - loudness } as u8);
    }
    let length = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tone_is_a_wave_file() {
        let file = tone();
        assert_eq!(file.len(), 44 + SAMPLES as usize);
        assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
        assert_eq!(file[4..8], (36 + SAMPLES).to_le_bytes());
        assert_eq!(file[22..24], [1, 0], "one channel");
        assert_eq!(file[34..36], [8, 0], "bits a sample");
        assert_eq!(
            (&file[36..40], &file[40..44]),
            (&b"data"[..], &SAMPLES.to_le_bytes()[..])
        );
    }
}
