//! Numbers of the TPM 2.0 Library (part 2), as far as they are used.

/// Algorithms (TPM_ALG_ID).
pub(crate) mod alg {
    pub(crate) const RSA: u16 = 0x0001;
    pub(crate) const AES: u16 = 0x0006;
    pub(crate) const SHA256: u16 = 0x000b;
    pub(crate) const SHA384: u16 = 0x000c;
    pub(crate) const SHA512: u16 = 0x000d;
    pub(crate) const NULL: u16 = 0x0010;
    pub(crate) const RSASSA: u16 = 0x0014;
    pub(crate) const RSAPSS: u16 = 0x0016;
    pub(crate) const ECDSA: u16 = 0x0018;
    pub(crate) const ECDAA: u16 = 0x001a;
    pub(crate) const ECC: u16 = 0x0023;
    pub(crate) const CFB: u16 = 0x0043;
}

/// What an object is for (TPMA_OBJECT).
pub(crate) mod attribute {
    pub(crate) const FIXED_TPM: u32 = 1 << 1;
    pub(crate) const FIXED_PARENT: u32 = 1 << 4;
    pub(crate) const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    pub(crate) const USER_WITH_AUTH: u32 = 1 << 6;
    pub(crate) const ADMIN_WITH_POLICY: u32 = 1 << 7;
    pub(crate) const NO_DA: u32 = 1 << 10;
    pub(crate) const RESTRICTED: u32 = 1 << 16;
    pub(crate) const DECRYPT: u32 = 1 << 17;
    pub(crate) const SIGN: u32 = 1 << 18;
}

/// Curves (TPM_ECC_CURVE).
pub(crate) mod curve {
    pub(crate) const P256: u16 = 0x0003;
    pub(crate) const P384: u16 = 0x0004;
    pub(crate) const P521: u16 = 0x0005;
}

/// Handles that always are.
pub(crate) mod handle {
    pub(crate) const OWNER: u32 = 0x4000_0001;
    pub(crate) const NULL: u32 = 0x4000_0007;
    /// In the place of a session: the authorization value stands bare.
    pub(crate) const PASSWORD: u32 = 0x4000_0009;
    pub(crate) const ENDORSEMENT: u32 = 0x4000_000b;
    /// Where the certificate of the RSA 2048 endorsement key is kept (TCG EK Credential Profile 2.3, §2.2.1.4).
    pub(crate) const EK_CERTIFICATE_RSA: u32 = 0x01c0_0002;
}
