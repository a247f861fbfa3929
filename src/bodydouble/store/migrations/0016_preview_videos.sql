-- The key of a small video of what is rendered; null before the first second, and for tasks of earlier versions.

alter table task add column preview_video_key text;
