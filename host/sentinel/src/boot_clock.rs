//! The time since the machine's start, which goes on while it sleeps, and an
//! alarm by that clock.

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Equal in all processes of a machine.
pub(crate) fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    // Neither is ever negative.
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Rings once at a time of that clock.
pub(crate) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        #[expect(
            unsafe_code,
            reason = "the runtime must not watch a number that is closed or another's"
        )]
        // SAFETY: the timer is owned by what watches it, and is never replaced.
        let watched = unsafe { AsyncFd::register(timer) }?;
        Ok(Self(watched))
    }

    /// Rings at this time, or at once if it is over. Replaces what was set.
    pub(crate) async fn rings(&self, at: Duration) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let at = Timespec {
            tv_sec: i64::try_from(at.as_secs()).unwrap_or(i64::MAX),
            // Zero would switch it off.
            tv_nsec: i64::from(at.subsec_nanos()).max(1),
        };
        let at = Itimerspec { it_interval: zero, it_value: at };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::ABSTIME, &at)?;
        loop {
            let mut ready = self.0.readable().await?;
            let rung = ready.try_io(|timer| {
                rustix::io::read(timer.get_ref(), &mut [0; 8]).map_err(io::Error::from)
            });
            match rung {
                Ok(rung) => return rung.map(drop),
                Err(_would_block) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_at_its_time_and_at_once_for_the_past() {
        let alarm = Alarm::new().unwrap();
        let at = now() + Duration::from_millis(30);
        alarm.rings(at).await.unwrap();
        assert!(now() >= at);
        alarm.rings(Duration::ZERO).await.unwrap();
    }
}
