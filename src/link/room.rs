//! Room for the frames that come in. Large data begin at a place in memory from which a disk can take them as they are; and the
//! room of a frame that nobody needs any more is used again, since new room for each would cost more than to fill it.

use std::collections::VecDeque;
use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::replica::part::MAX_DATA;
use crate::replica::sealed::{TELLS, data_begins};

/// Where data begin: at a multiple of so many bytes.
const ALIGNED: usize = 4096;
/// Frames up to so many bytes come as they come.
const LITTLE: usize = 32 * 1024;
/// Bytes that a large frame has beside its data, at the most, but for rare ones.
const BESIDE: usize = 4096;
/// Room for a large frame.
const ROOM: usize = MAX_DATA + BESIDE + ALIGNED;

/// The room that is in use, in the order in which it was filled.
#[derive(Debug, Default)]
pub(super) struct Room {
    used: VecDeque<Bytes>,
}

impl Room {
    /// Reads the next `length` bytes, which are a frame.
    pub(super) async fn frame(&mut self, stream: &mut (impl AsyncRead + Unpin), length: usize) -> io::Result<Bytes> {
        if length <= LITTLE || length > MAX_DATA + BESIDE {
            let mut room = BytesMut::with_capacity(length);
            fill(stream, &mut room, length).await?;
            return Ok(room.freeze());
        }
        // The kind of the frame stands before what was sealed.
        let mut begin = [0; 1 + TELLS];
        stream.read_exact(&mut begin).await?;
        let [_, sealed @ ..] = begin;
        let mut room = self.free();
        let data = room.as_ptr().addr().wrapping_add(1).wrapping_add(data_begins(&sealed));
        let skip = data.wrapping_neg() % ALIGNED;
        room.put_bytes(0, skip);
        room.put_slice(&begin);
        fill(stream, &mut room, skip + length).await?;
        let whole = room.freeze();
        let frame = whole.slice(skip..);
        self.used.push_back(whole);
        Ok(frame)
    }

    /// The oldest room, if nobody needs what is in it any more; else new room.
    fn free(&mut self) -> BytesMut {
        let oldest = self.used.pop_front().map(Bytes::try_into_mut);
        match oldest {
            Some(Ok(mut room)) if room.capacity() >= ROOM => {
                room.clear();
                return room;
            }
            Some(Err(needed)) => self.used.push_front(needed),
            Some(Ok(_)) | None => {}
        }
        BytesMut::with_capacity(ROOM)
    }
}

/// Reads until `room` holds `length` bytes.
async fn fill(stream: &mut (impl AsyncRead + Unpin), room: &mut BytesMut, length: usize) -> io::Result<()> {
    while room.len() < length {
        let missing = length - room.len();
        let mut rest = (&mut *room).limit(missing);
        if stream.read_buf(&mut rest).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::frame::{ToMirror, of_part};
    use crate::replica::part::{Data, Part};
    use crate::replica::{BLOCK, Sum};

    fn frame(blocks: usize, with: u8) -> Bytes {
        let bytes = vec![with; blocks * BLOCK];
        let sums = bytes.chunks(BLOCK).map(Sum::of).collect();
        of_part(&Part::Data(Data { offset: 0, sums, bytes: bytes.into() })).unwrap().join()
    }

    #[tokio::test]
    async fn large_data_are_aligned_and_their_room_is_used_again() {
        let (frames, mut room) = ([frame(16, 1), frame(16, 2), frame(16, 3), frame(1, 4)], Room::default());
        let line = frames.concat();
        let (mut line, mut held, mut places) = (&line[..], vec![], vec![]);
        for sent in &frames {
            let came = room.frame(&mut line, sent.len()).await.unwrap();
            assert_eq!(came, *sent);
            let Ok(ToMirror::Part(Part::Data(data), _)) = ToMirror::decode(&came) else { panic!("{came:?}") };
            places.push(data.bytes.as_ptr());
            held.push(data.bytes);
            if held.len() == 2 {
                held.clear();
            }
        }
        assert!(places[..3].iter().all(|place| place.align_offset(ALIGNED) == 0));
        assert!(places[1] != places[0] && places[2] == places[0], "{places:?}");
    }

    #[tokio::test]
    async fn what_lies_about_where_its_data_begin_is_read_all_the_same() {
        for with in [0, 0x7f, 0xff] {
            let sent = vec![with; 2 * LITTLE];
            assert_eq!(Room::default().frame(&mut &sent[..], sent.len()).await.unwrap(), sent);
            assert!(Room::default().frame(&mut &sent[1..], sent.len()).await.is_err(), "cut short");
        }
    }
}
