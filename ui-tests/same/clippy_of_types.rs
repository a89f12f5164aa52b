//! Lints about types look at the return type once.

#![allow(dead_code)]

use std::marker::PhantomData;

use pidfile::Error;

struct Job;

trait Make: Sized {
    fn make() -> Result<Job, Error>;
    fn several() -> Result<Vec<Job>, Error>;
}

impl Make for Job {
    #[pidfile::pidfile("app.pid")]
    fn make() -> Result<Job, Error> {
        Ok(Self)
    }

    #[pidfile::pidfile("app.pid")]
    fn several() -> Result<Vec<Job>, Error> {
        Ok(vec![Self])
    }
}

impl Job {
    #[pidfile::pidfile("app.pid")]
    fn again(&self) -> Result<Job, Error> {
        Ok(Self)
    }
}

#[pidfile::pidfile("app.pid")]
fn empty<T>() {}

#[pidfile::pidfile("app.pid")]
fn unused<T>() -> Result<u8, Error> {
    Ok(1)
}

#[pidfile::pidfile("app.pid")]
fn only_returned<T>() -> Result<PhantomData<T>, Error> {
    Ok(PhantomData)
}

#[pidfile::pidfile("app.pid")]
fn of_a_reference<T>(all: &[T]) -> Result<&T, Error> {
    Ok(&all[0])
}

#[pidfile::pidfile("app.pid")]
fn qualified() -> Result<std::string::String, Error> {
    Ok(String::new())
}

#[pidfile::pidfile("app.pid")]
fn complicated() -> Result<Vec<Vec<Box<(u32, u32, u32, u32, Vec<(u8, u8)>)>>>, Error> {
    Ok(Vec::new())
}

#[pidfile::pidfile("app.pid")]
fn units() -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {}
