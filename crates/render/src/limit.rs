//! How many pictures go together in the memory there is: learnt from when it ran out.

use tarim_recipe::Size;

/// What memory was seen not to hold: so many pixels at once. What was too much once is halved, and stays so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PixelLimit {
    too_many: Option<u64>,
}

impl PixelLimit {
    /// Takes note that memory ran out with so many pictures of a size, and says how many of them to try next.
    pub fn ran_out(&mut self, together: u32, size: Size) -> u32 {
        let pixels = pixels(size) * u64::from(together);
        self.too_many = Some(self.too_many.map_or(pixels, |known| known.min(pixels)));
        (together / 2).max(1)
    }

    /// How many pictures of a size may go together, of those wanted; at least one.
    pub fn allow(self, wanted: u32, size: Size) -> u32 {
        let Some(limit) = self.too_many else { return wanted };
        let fitting = (limit / 2 / pixels(size).max(1)).max(1);
        wanted.min(u32::try_from(fitting).unwrap_or(u32::MAX))
    }
}

fn pixels(size: Size) -> u64 {
    u64::from(size.width()) * u64::from(size.height())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_too_much_is_remembered_by_its_pixels() {
        let size = |width| Size::new(width, 64).unwrap();
        let mut limit = PixelLimit::default();
        assert_eq!(limit.allow(8, size(64)), 8);
        assert_eq!(limit.ran_out(8, size(64)), 4);
        assert_eq!(limit.allow(8, size(64)), 4);
        assert_eq!(limit.allow(8, size(128)), 2);
        assert_eq!(limit.allow(8, size(1024)), 1);
        assert_eq!(limit.ran_out(4, size(64)), 2);
        assert_eq!(limit.allow(8, size(64)), 2);
        // Another size that ran out with more pixels says nothing new.
        assert_eq!(limit.ran_out(8, size(128)), 4);
        assert_eq!(limit.allow(8, size(64)), 2);
    }
}
