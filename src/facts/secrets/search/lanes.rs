//! The vectors that the filter works with: of 32 bytes with AVX2, of 64 with AVX-512.

use pulp::x86::{V3, V4};
use std::arch::x86_64::{__m256i, __m512i};

/// Bytes of the widest vector.
pub(in crate::facts::secrets) const WIDEST: usize = 64;

/// The vectors that this machine has.
#[derive(Clone, Copy, Debug)]
pub(in crate::facts::secrets) enum Machine {
    Avx2(V3),
    Avx512(V4),
}

impl Machine {
    /// All of them, the widest first.
    pub(in crate::facts::secrets) fn all() -> impl Iterator<Item = Self> {
        V4::try_new().map(Self::Avx512).into_iter().chain(V3::try_new().map(Self::Avx2))
    }
}

/// A shuffle's table: what each half of a byte leads to.
pub(in crate::facts::secrets) type Table = [u8; 16];

/// What the filter does with a whole vector of places at a time. Looking up is by the shuffles of the machine, which
/// work on runs of 16 bytes, so a table is repeated.
pub(in crate::facts::secrets) trait Lanes: Copy {
    /// A vector.
    type Vector: Copy;
    /// Bytes of a vector.
    const WIDE: usize;

    /// `table` as often as the vector has room for it.
    fn repeat(self, table: Table) -> Self::Vector;
    /// The bytes of `from` at `at`.
    fn load(self, from: &[u8], at: usize) -> Option<Self::Vector>;
    /// The lower and the upper half of each byte.
    fn halves(self, bytes: Self::Vector) -> [Self::Vector; 2];
    /// What the tables of lower and upper halves both have.
    fn admitted(self, tables: [Self::Vector; 2], halves: [Self::Vector; 2]) -> Self::Vector;
    /// The bits of both.
    fn both(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The bits of one or the other.
    fn either(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// A bit for each byte that is not zero, the first byte the lowest.
    fn any(self, bytes: Self::Vector) -> u64;
}

impl Lanes for V3 {
    type Vector = __m256i;
    const WIDE: usize = 32;

    #[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
    #[inline(always)]
    fn repeat(self, table: Table) -> __m256i {
        pulp::cast([table; 2])
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn load(self, from: &[u8], at: usize) -> Option<__m256i> {
        let bytes: &[u8; 32] = from.get(at..)?.first_chunk()?;
        Some(pulp::cast(*bytes))
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn halves(self, bytes: __m256i) -> [__m256i; 2] {
        let half = self.repeat([15; 16]);
        [
            self.avx2._mm256_and_si256(bytes, half),
            self.avx2._mm256_and_si256(self.avx2._mm256_srli_epi16::<4>(bytes), half),
        ]
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn admitted(self, [lower, upper]: [__m256i; 2], [low, high]: [__m256i; 2]) -> __m256i {
        let avx = self.avx2;
        avx._mm256_and_si256(avx._mm256_shuffle_epi8(lower, low), avx._mm256_shuffle_epi8(upper, high))
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn both(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_and_si256(a, b)
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn either(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_or_si256(a, b)
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn any(self, bytes: __m256i) -> u64 {
        let none = self.avx2._mm256_cmpeq_epi8(bytes, pulp::cast([0u8; 32]));
        u64::from(!self.avx2._mm256_movemask_epi8(none).cast_unsigned())
    }
}

impl Lanes for V4 {
    type Vector = __m512i;
    const WIDE: usize = WIDEST;

    #[expect(clippy::inline_always, reason = "what runs with AVX-512 has to be inside the function that has it")]
    #[inline(always)]
    fn repeat(self, table: Table) -> __m512i {
        pulp::cast([table; 4])
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn load(self, from: &[u8], at: usize) -> Option<__m512i> {
        let bytes: &[u8; 64] = from.get(at..)?.first_chunk()?;
        Some(pulp::cast(*bytes))
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn halves(self, bytes: __m512i) -> [__m512i; 2] {
        let half = self.repeat([15; 16]);
        let high = self.avx512bw._mm512_srli_epi16::<4>(bytes);
        [self.avx512f._mm512_and_si512(bytes, half), self.avx512f._mm512_and_si512(high, half)]
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn admitted(self, [lower, upper]: [__m512i; 2], [low, high]: [__m512i; 2]) -> __m512i {
        let avx = self.avx512bw;
        self.avx512f._mm512_and_si512(avx._mm512_shuffle_epi8(lower, low), avx._mm512_shuffle_epi8(upper, high))
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn both(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_and_si512(a, b)
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn either(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_or_si512(a, b)
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn any(self, bytes: __m512i) -> u64 {
        self.avx512bw._mm512_test_epi8_mask(bytes, bytes)
    }
}
