use tokio::{sync::mpsc::Receiver, task::yield_now};

/// Gives way for as long as that brings more into a queue, up to `most`. Whoever waits for a queue is woken by
/// the first entry and goes before tasks that are ready and would have added theirs; where there is none, this
/// takes no time.
pub(crate) async fn settled<T>(waiting: &Receiver<T>, most: usize) {
    loop {
        let before = waiting.len();
        yield_now().await;
        if waiting.len() == before || before >= most {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// What is sent while others go first, one after the other.
    async fn waiting_after(sent: usize, most: usize) -> usize {
        let (queue, waiting) = mpsc::channel(100);
        tokio::spawn(async move {
            for _ in 0..sent {
                queue.send(()).await.unwrap();
                yield_now().await;
            }
        });
        settled(&waiting, most).await;
        waiting.len()
    }

    #[tokio::test]
    async fn it_gives_way_as_long_as_more_comes() {
        assert_eq!(waiting_after(7, 50).await, 7);
        assert!((10..20).contains(&waiting_after(50, 10).await));
        assert_eq!(waiting_after(0, 50).await, 0);
    }
}
