//! Short lists, such as those of a node's tensors.

/// A list that lies where it stands, and nowhere else, if it is short.
#[derive(Debug)]
pub(crate) struct Few<P> {
    few: [P; SHORT],
    many: Vec<P>,
    len: usize,
}

const SHORT: usize = 8;

impl<P: Copy> Few<P> {
    #[inline]
    pub(crate) fn new(len: usize, null: P) -> Self {
        let many = if len > SHORT { vec![null; len] } else { Vec::new() };
        Few { few: [null; SHORT], many, len }
    }

    #[inline]
    pub(crate) fn as_mut(&mut self) -> &mut [P] {
        if self.len > SHORT { &mut self.many } else { &mut self.few[..self.len] }
    }

    #[inline]
    pub(crate) fn as_ref(&self) -> &[P] {
        if self.len > SHORT { &self.many } else { &self.few[..self.len] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_have_room_too() {
        for len in [0, 1, SHORT, SHORT + 1] {
            let mut list = Few::new(len, 0);
            list.as_mut().iter_mut().zip(1..).for_each(|(item, value)| *item = value);
            assert_eq!(list.as_ref(), (1..=len).collect::<Vec<_>>());
        }
    }
}
