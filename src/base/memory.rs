//! Memory: how much there may be, and how much is truly taken.

/// Memory of the process for what grows with its input. The caps that bound memory for many connections together stand in
/// [`crate::base::limits`] as they are with the default; with another amount they are larger or smaller by as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(usize);

impl Default for Memory {
    fn default() -> Self {
        Self(Self::DEFAULT)
    }
}

impl Memory {
    /// Bytes, if nothing else is asked for.
    pub const DEFAULT: usize = 512 << 20;

    /// Bytes with which h2lens is still of use.
    pub const LEAST: usize = 64 << 20;

    /// So many bytes; `None` if they are fewer than [`Self::LEAST`].
    pub const fn new(bytes: usize) -> Option<Self> {
        if bytes < Self::LEAST { None } else { Some(Self(bytes)) }
    }

    /// A part of it, for each of so many that have the same to do.
    #[must_use]
    pub const fn divided(self, among: usize) -> Self {
        if among > 1 { Self(self.0 / among) } else { self }
    }

    /// Bytes that a buffer may keep when it is emptied, so many with the default: fewer where memory is short, never more.
    pub const fn kept(self, with_default: usize) -> usize {
        if self.0 < Self::DEFAULT { self.share(with_default) } else { with_default }
    }

    /// What a cap is that is a share of the whole.
    pub const fn share(self, cap: usize) -> usize {
        (cap as u128 * self.0 as u128 / Self::DEFAULT as u128) as usize
    }
}

/// Bytes that the allocator adds to a block at the most: its own header, and what is missing to a multiple of its grain.
pub const BLOCK_MORE: usize = 32;

/// Bytes that the allocator takes for a block.
pub const fn of_block(bytes: usize) -> usize {
    let whole = (bytes + 8).next_multiple_of(16);
    if whole < BLOCK_MORE { BLOCK_MORE } else { whole }
}

/// Bytes of a hash table with this capacity: an eighth of its places stays free, and each has a byte of its own.
pub const fn of_map<K, V>(capacity: usize) -> usize {
    capacity / 7 * 8 * (size_of::<(K, V)>() + 1)
}

/// Bytes that an entry of a B-tree takes: nodes are half full when entries come in order.
pub const fn of_tree_entry<K, V>() -> usize {
    2 * size_of::<(K, V)>() + 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_with_the_whole() {
        let of = |bytes, cap| Memory::new(bytes).map(|memory| memory.share(cap));
        assert_eq!(Memory::default().share(1000), 1000);
        assert_eq!(of(1 << 30, 1000), Some(2000));
        assert_eq!(of(Memory::LEAST, 800), Some(100));
        assert_eq!(of(Memory::LEAST - 1, 800), None);
        assert_eq!(Memory::default().divided(4).share(1000), 250);
        assert_eq!(Memory::default().divided(0), Memory::default());
        assert_eq!(of(usize::MAX, 512 << 20), Some(usize::MAX), "no overflow");
        let kept = [Memory::LEAST, Memory::DEFAULT, 1 << 30].map(|bytes| Memory(bytes).kept(800));
        assert_eq!(kept, [100, 800, 800]);
    }

    #[test]
    fn what_is_taken_is_more_than_what_is_asked_for() {
        assert_eq!([0, 1, 24, 25, 1000].map(of_block), [32, 32, 32, 48, 1008]);
        assert!((0..1000).all(|bytes| of_block(bytes) <= bytes + BLOCK_MORE));
        assert_eq!((of_map::<u32, u32>(0), of_map::<u64, u64>(28)), (0, 32 * 17));
    }
}
