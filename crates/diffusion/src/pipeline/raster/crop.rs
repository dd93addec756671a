//! The part of a picture that "only masked" renders.

use super::Raster;

/// A rectangle of pixels, not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) right: u32,
    pub(crate) bottom: u32,
}

impl Region {
    /// The bounding box of all pixels of a mask that are not black; `None` when there are none.
    pub(crate) fn of_mask(mask: &Raster) -> Option<Self> {
        let marked = |row: &&[u8]| row.iter().any(|&value| value > 0);
        let top = mask.rows().position(|row| marked(&row))?;
        let bottom = mask.rows().rposition(|row| marked(&row))? + 1;
        let left = mask.rows().filter_map(|row| row.iter().position(|&value| value > 0)).min()?;
        let right = mask.rows().filter_map(|row| row.iter().rposition(|&value| value > 0)).max()? + 1;
        Some(Self { left: left as u32, top: top as u32, right: right as u32, bottom: bottom as u32 })
    }

    /// Grown by `padding` on each side as far as the picture goes, then to the shape of `wanted` (A1111's
    /// `get_crop_region_v2` and `expand_crop_region`): the shorter side grows about its middle, moved inwards at the
    /// picture's edge, and cut where the picture is too small.
    pub(crate) fn padded(self, padding: u32, wanted: (u32, u32), picture: (u32, u32)) -> Self {
        let left = self.left.saturating_sub(padding);
        let top = self.top.saturating_sub(padding);
        let right = self.right.saturating_add(padding).min(picture.0);
        let bottom = self.bottom.saturating_add(padding).min(picture.1);
        let (width, height) = (u64::from(right - left), u64::from(bottom - top));
        let (wanted_width, wanted_height) = (u64::from(wanted.0), u64::from(wanted.1));
        if width * wanted_height > height * wanted_width {
            let side = (width * wanted_height).div_ceil(wanted_width);
            let (top, bottom) = widened(top, bottom, side, picture.1);
            Self { left, top, right, bottom }
        } else {
            let side = (height * wanted_width).div_ceil(wanted_height);
            let (left, right) = widened(left, right, side, picture.0);
            Self { left, top, right, bottom }
        }
    }

    pub(crate) fn size(self) -> (u32, u32) {
        (self.right - self.left, self.bottom - self.top)
    }

    /// The pixels of the region.
    pub(crate) fn cut(self, picture: &Raster) -> Raster {
        let channels = picture.channels;
        let (from, to) = ((self.left * channels) as usize, (self.right * channels) as usize);
        let rows = picture.rows().skip(self.top as usize).take((self.bottom - self.top) as usize);
        let bytes = rows.flat_map(|row| row.get(from..to).unwrap_or_default()).copied().collect();
        let (width, height) = self.size();
        Raster { width, height, channels, bytes }
    }

    /// `picture` with `part`, of the region's size, put in its place.
    pub(crate) fn put(self, picture: &mut Raster, part: &Raster) {
        let channels = picture.channels;
        let (from, to) = ((self.left * channels) as usize, (self.right * channels) as usize);
        let length = (picture.width * channels) as usize;
        let rows = picture.bytes.chunks_exact_mut(length).skip(self.top as usize);
        for (row, part) in rows.zip(part.rows()) {
            if let Some(target) = row.get_mut(from..to) {
                target.copy_from_slice(part);
            }
        }
    }
}

/// An interval grown to `length` about its middle, within `0..limit`.
fn widened(start: u32, end: u32, length: u64, limit: u32) -> (u32, u32) {
    let length = u32::try_from(length).unwrap_or(limit).clamp(end - start, limit.max(end - start));
    let start = start.saturating_sub((length - (end - start)) / 2).min(limit.saturating_sub(length));
    (start, start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mask: [u32; 4], padding: u32, wanted: (u32, u32), picture: (u32, u32), expected: [u32; 4]) {
        let [left, top, right, bottom] = mask;
        let found = Region { left, top, right, bottom }.padded(padding, wanted, picture);
        assert_eq!([found.left, found.top, found.right, found.bottom], expected);
    }

    #[test]
    fn regions_grow_to_the_shape() {
        check([40, 40, 60, 60], 10, (64, 64), (100, 100), [30, 30, 70, 70]);
        check([40, 40, 60, 60], 0, (128, 64), (100, 100), [30, 40, 70, 60]);
        check([40, 40, 60, 60], 0, (64, 128), (100, 100), [40, 30, 60, 70]);
        // At the edge it moves inwards.
        check([0, 40, 10, 60], 0, (64, 64), (100, 100), [0, 40, 20, 60]);
        check([90, 0, 100, 20], 32, (64, 64), (100, 100), [48, 0, 100, 52]);
        // A picture too small for the shape is taken as it is.
        check([0, 10, 100, 20], 0, (64, 64), (100, 30), [0, 0, 100, 30]);
    }

    #[test]
    fn cut_and_put_are_inverse() {
        let bytes: Vec<u8> = (0..5 * 4 * 3).collect();
        let picture = Raster::new(5, 4, 3, bytes).unwrap();
        let region = Region { left: 1, top: 2, right: 4, bottom: 4 };
        let part = region.cut(&picture);
        assert_eq!(part.size(), (3, 2));
        assert_eq!(part.bytes()[..3], [33, 34, 35]);
        let mut other = Raster::filled(5, 4, 3, 0);
        region.put(&mut other, &part);
        assert_eq!(region.cut(&other), part);
        let mut mask = Raster::filled(5, 4, 1, 0);
        assert_eq!(Region::of_mask(&mask), None);
        region.put(&mut mask, &Raster::filled(3, 2, 1, 9));
        assert_eq!(Region::of_mask(&mask), Some(region));
    }
}
