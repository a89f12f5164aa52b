//! Only one of me runs here.

// Rooms that are not joined yet.
#![allow(dead_code, unused_imports)]


