//! What the processor must be able to do.
//!
//! The crate is compiled for SSE4.2 and PCLMULQDQ, which makes `is_x86_feature_detected!` a
//! constant: the processor itself has to be asked.

/// The instructions that this build uses and this processor lacks.
#[cfg(target_arch = "x86_64")]
pub(super) fn missing() -> Option<&'static str> {
    missing_from(core::arch::x86_64::__cpuid(1).ecx)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn missing() -> Option<&'static str> {
    None
}

/// Reads the feature bits of leaf 1 (Intel's manual, volume 2A, CPUID).
#[cfg(target_arch = "x86_64")]
fn missing_from(features: u32) -> Option<&'static str> {
    const PCLMULQDQ: u32 = 1 << 1;
    const SSE4_2: u32 = 1 << 20;
    match (features & SSE4_2 != 0, features & PCLMULQDQ != 0) {
        (true, true) => None,
        (false, true) => Some("SSE4.2"),
        (true, false) => Some("PCLMULQDQ"),
        (false, false) => Some("both"),
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_what_it_runs() {
        assert_eq!(missing(), None);
    }

    #[test]
    fn an_older_processor_is_told_what_it_lacks() {
        assert_eq!(missing_from(1 << 1), Some("SSE4.2"));
        assert_eq!(missing_from(1 << 20), Some("PCLMULQDQ"));
        assert_eq!(missing_from(0), Some("both"));
    }
}
