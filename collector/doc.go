// Package collector puts the collector together and runs it: it is the one
// place where the stages meet.
//
//	ingest -> spool -> drain -> store
//	                              |
//	          fleet <- windows ---+   seals windows over all replicas
//	            |
//	        evaluate                  a verdict for every subject
//	            |
//	        register                  opens, counts and clears records
//	            |
//	         notify -> plugins        hands the record's life on
//
//	           api                    REST, PromQL, the status page
//
// Starting goes down this list, stopping goes up it: first nothing new comes
// in, then what is in hand is finished, then the engine ends.
package collector
