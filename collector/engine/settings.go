package engine

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
)

// accountName is the one account that may log in.
const accountName = "evenkeel"

// settingsXML is the engine's configuration: loopback, a port that the system
// chooses, memory and threads for a machine that has other work to do.
//
// fsync_after_insert: the spool forgets a range once the store has confirmed
// it, so a confirmed insert must survive a loss of power. Merged parts need no
// fsync of their own: their sources stay on disk for eight more minutes.
//
// keep_free_space_bytes: inserts and merges are refused before the disk is
// full, not in the middle of their files.
//
// tcp_port only lets the account start a native listener, which tests of the
// native protocol do; nothing else starts one (see accountsXML).
//
// The three number_of_free_entries settings only follow from the small pool:
// their defaults ask for more threads than it has.
const settingsXML = `<clickhouse>
  <logger><log>%[1]s</log><console>0</console><size>4M</size><count>2</count></logger>
  <users_config>%[2]s</users_config>
  <listen_host>127.0.0.1</listen_host>
  <http_port>0</http_port>
  <tcp_port>0</tcp_port>
  <keep_alive_timeout>60</keep_alive_timeout>
  <max_connections>256</max_connections>
  <max_concurrent_queries>64</max_concurrent_queries>
  <max_server_memory_usage>%[3]d</max_server_memory_usage>
  <mark_cache_size>33554432</mark_cache_size>
  <index_mark_cache_size>8388608</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mmap_cache_size>64</mmap_cache_size>
  <max_thread_pool_size>256</max_thread_pool_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <storage_configuration><disks><default><keep_free_space_bytes>33554432</keep_free_space_bytes></default></disks></storage_configuration>
  <merge_tree>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
`

// accountsXML lets nobody in but us. The account default cannot be removed,
// since the engine's own session logs in as it, without a password and from
// ::1, and every loopback address counts as the same host. So default may have
// one session, which is the engine's own from before the listener opens until
// the end; any other login as default is refused. Over native TCP that refusal
// aborts the process, so TCP never listens.
const accountsXML = `<clickhouse>
  <profiles>
    <default><max_memory_usage>%[3]d</max_memory_usage></default>
    <own_session><max_sessions_for_user>1</max_sessions_for_user></own_session>
  </profiles>
  <users>
    <default>
      <password></password>
      <networks><ip>::1</ip></networks>
      <profile>own_session</profile>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE, FILE ON *.*</query>
      </grants>
    </default>
    <%[1]s>
      <password_sha256_hex>%[2]s</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <grants><query>GRANT ALL ON *.*</query></grants>
    </%[1]s>
  </users>
</clickhouse>
`

// newPassword makes 256 random bits.
func newPassword() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// files are where one data folder keeps what.
type files struct {
	data     string // the engine's own
	settings string
	accounts string // exists only while the engine starts
	log      string
}

func filesIn(dir string) files {
	return files{
		data:     filepath.Join(dir, "clickhouse"),
		settings: filepath.Join(dir, "settings.xml"),
		accounts: filepath.Join(dir, "accounts.xml"),
		log:      filepath.Join(dir, "engine.log"),
	}
}

// write makes the folder and both configuration files. They are written anew
// before every start of the engine.
func (f files) write(password string, memory int64) error {
	if err := os.MkdirAll(f.data, 0o700); err != nil {
		return fmt.Errorf("make the engine's folder: %w", err)
	}
	sum := sha256.Sum256([]byte(password))
	settings := fmt.Sprintf(settingsXML, escape(f.log), escape(f.accounts), memory)
	accounts := fmt.Sprintf(accountsXML, accountName, hex.EncodeToString(sum[:]), memory*3/4)
	for path, text := range map[string]string{f.settings: settings, f.accounts: accounts} {
		_ = os.Remove(path) // a file left behind may have other permissions
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the engine's configuration: %w", err)
		}
	}
	return nil
}

// forget removes the accounts; the engine reads them once, at its start.
func (f files) forget() { _ = os.Remove(f.accounts) }

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
