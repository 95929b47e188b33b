"""What keeps running by itself: the loop, who watches over a run, signals, logs and Sentry."""
