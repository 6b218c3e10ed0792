-- The gateway's store has a database of its own; run once, when the server's volume is new.
CREATE DATABASE gateway;
