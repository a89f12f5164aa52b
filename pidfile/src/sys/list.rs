//! A list that a signal handler can walk at any instant.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A list that only grows.
///
/// It uses atomics instead of a lock, because signal handlers read it, and because a fork may
/// happen in the middle of another thread's push.
#[derive(Debug)]
pub(crate) struct LeakedList<T: 'static> {
    head: AtomicPtr<Node<T>>,
}

#[derive(Debug)]
struct Node<T: 'static> {
    value: T,
    next: *const Node<T>,
}

impl<T: Sync> LeakedList<T> {
    pub(crate) const fn new() -> LeakedList<T> {
        LeakedList {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds a value that is never freed.
    pub(crate) fn push(&self, value: T) -> &'static T {
        let node: &'static mut Node<T> = Box::leak(Box::new(Node {
            value,
            next: ptr::null(),
        }));
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            node.next = head;
            // SeqCst, as in `iter`. A thread that sees the node sees its contents, and a publisher
            // that pushes a slot and then sees no ending is seen by an ending thread, which first
            // announces itself and then walks the list.
            match self
                .head
                .compare_exchange_weak(head, node, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        &node.value
    }

    /// All values, the newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T> {
        let mut next: *const Node<T> = self.head.load(Ordering::SeqCst);
        std::iter::from_fn(move || {
            // SAFETY: every pointer in the list comes from `Box::leak` in `push`, is published
            // with SeqCst after it was filled, and is neither changed nor freed afterwards.
            let node: &'static Node<T> = unsafe { next.as_ref() }?;
            next = node.next;
            Some(&node.value)
        })
    }
}
