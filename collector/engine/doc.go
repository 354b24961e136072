// Package engine runs the embedded ClickHouse: the real engine out of
// libchdb.so, as a supervised child process of the collector that listens on
// loopback only and answers to one account only.
//
//	collector --fork--> own binary, hidden mode --dlopen--> libchdb.so
//	    |  stdin: life line; its end tells the engine to leave
//	    |  fd 3: the data folder's lock, shared, so that it lasts as long as either
//	    |  fd 4: the port that the system chose, once listening
//	    `--HTTP over DialContext--> collector/store/clickhouse
//
// A crash of the engine is not a crash of the collector: the engine is started
// again, on another port, and DialContext follows it. The engine never
// outlives its parent: the end of the life line, a parent-death signal and the
// shared lock each see to it. It has a process group of its own, so a Ctrl-C on
// the terminal reaches the parent alone, which stops the engine last.
//
// What was acknowledged survives a kill -9 of both; fsync after every insert
// makes it survive a loss of power as well (settings.go).
package engine
