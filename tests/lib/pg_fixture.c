/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/pg_fixture.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_programs(const char *bindir) {
  char path[512];
  snprintf(path, sizeof(path), "%s/initdb", bindir);
  if (access(path, X_OK) != 0)
    return false;
  snprintf(path, sizeof(path), "%s/postgres", bindir);
  return access(path, X_OK) == 0;
}

static bool find_programs(struct pg_fixture *f) {
  FILE *p = popen("pg_config --bindir 2>/dev/null", "r");
  if (p != NULL) {
    bool got = fgets(f->bindir, sizeof(f->bindir), p) != NULL;
    pclose(p);
    f->bindir[strcspn(f->bindir, "\n")] = '\0';
    if (got && has_programs(f->bindir))
      return true;
  }
  glob_t found;
  bool ok = false;
  if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
    for (size_t i = found.gl_pathc; i > 0 && !ok; i--) { /* the newest is the last by name */
      snprintf(f->bindir, sizeof(f->bindir), "%s", found.gl_pathv[i - 1]);
      ok = has_programs(f->bindir);
    }
    globfree(&found);
  }
  return ok;
}

/* PostgreSQL refuses to run as root. */
static const struct passwd *unprivileged(void) {
  static const char *const names[] = {"postgres", "nobody"};
  for (size_t i = 0; i < 2; i++) {
    const struct passwd *user = getpwnam(names[i]);
    if (user != NULL && user->pw_uid != 0)
      return user;
  }
  return NULL;
}

/* Starts the program as the unprivileged user, its output in DIR/log; it dies with us. */
static pid_t spawn(const struct pg_fixture *f, const char *const argv[]) {
  pid_t parent = getpid();
  const struct passwd *user = geteuid() == 0 ? unprivileged() : NULL;
  char log[96];
  snprintf(log, sizeof(log), "%s/log", f->dir);
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  int null = open("/dev/null", O_RDONLY);
  if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
    _exit(126);
  if (user != NULL &&
      (fchown(fd, user->pw_uid, user->pw_gid) != 0 || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
    _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGINT); /* after setuid, which clears it */
  if (getppid() != parent || chdir(f->dir) != 0)
    _exit(126);
  execv(argv[0], (char *const *)argv); /* which changes nothing, but is older than const */
  _exit(127);
}

static bool make_cluster(struct pg_fixture *f) {
  char initdb[300], path[96];
  snprintf(initdb, sizeof(initdb), "%s/initdb", f->bindir);
  snprintf(path, sizeof(path), "%s/data", f->dir);
  const char *const argv[] = {initdb, "-D", path, "-U", PG_FIXTURE_SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", NULL};
  pid_t pid = spawn(f, argv);
  int status = -1;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
    return false;
  snprintf(path, sizeof(path), "%s/data/pg_hba.conf", f->dir);
  FILE *hba = fopen(path, "w");
  if (hba == NULL)
    return false;
  fputs("local all +scram_users scram-sha-256\nlocal all all trust\nlocal replication all trust\n", hba);
  return fclose(hba) == 0;
}

bool pg_fixture_resume(struct pg_fixture *f) {
  char postgres[300], data[80];
  snprintf(postgres, sizeof(postgres), "%s/postgres", f->bindir);
  snprintf(data, sizeof(data), "%s/data", f->dir);
  const char *const argv[] = {postgres,
                              "-D",
                              data,
                              "-k",
                              f->dir,
                              "-c",
                              "listen_addresses=",
                              "-c",
                              "fsync=off",
                              "-c",
                              "shared_buffers=16MB",
                              "-c",
                              "max_connections=20",
                              "-c",
                              f->logical ? "wal_level=logical" : "wal_level=replica",
                              "-c", /* how long a commit that waits for no disk may take to be written */
                              f->logical ? "wal_writer_delay=10ms" : "wal_writer_delay=200ms",
                              "-c",
                              "log_min_messages=fatal",
                              "-c",
                              "log_min_error_statement=panic",
                              NULL};
  f->server = spawn(f, argv);
  const char *keys[] = {"host", "user", "dbname", NULL}, *values[] = {f->dir, PG_FIXTURE_SUPERUSER, "postgres", NULL};
  for (int i = 0; f->server > 0 && i < 600; i++) {
    if (PQpingParams(keys, values, 0) == PQPING_OK)
      return true;
    if (waitpid(f->server, NULL, WNOHANG) == f->server)
      f->server = 0;
    usleep(50000);
  }
  pg_fixture_halt(f, SIGQUIT);
  snprintf(f->reason, sizeof(f->reason), "the server does not start");
  return false;
}

bool pg_fixture_start(struct pg_fixture *f) {
  *f = (struct pg_fixture){.logical = f->logical};
  if (!find_programs(f)) {
    snprintf(f->reason, sizeof(f->reason), "PostgreSQL's server programs are not installed");
    return false;
  }
  const struct passwd *user = geteuid() == 0 ? unprivileged() : NULL;
  if (geteuid() == 0 && user == NULL) {
    snprintf(f->reason, sizeof(f->reason), "there is no unprivileged user to run a server");
    return false;
  }
  if (mkdtemp(scratch_template(f->dir, "pg")) == NULL || (user != NULL && chown(f->dir, user->pw_uid, user->pw_gid) != 0) ||
      chmod(f->dir, 0755) != 0) {
    snprintf(f->reason, sizeof(f->reason), "no temporary directory: %s", strerror(errno));
    return false;
  }
  if (!make_cluster(f)) {
    snprintf(f->reason, sizeof(f->reason), "initdb fails in %s; can an unprivileged user reach it?", f->dir);
    pg_fixture_stop(f);
    return false;
  }
  bool ok = pg_fixture_resume(f);
  if (!ok)
    pg_fixture_stop(f);
  return ok;
}

void pg_fixture_halt(struct pg_fixture *f, int signal) {
  if (f->server <= 0)
    return;
  kill(f->server, signal);
  waitpid(f->server, NULL, 0);
  f->server = 0;
}

void pg_fixture_stop(struct pg_fixture *f) {
  pg_fixture_halt(f, SIGQUIT);
  if (strstr(f->dir, "/crm-pg-") == NULL)
    return;
  char command[96];
  snprintf(command, sizeof(command), "rm -rf %s", f->dir);
  if (system(command) != 0)
    fprintf(stderr, "cannot remove %s\n", f->dir);
  f->dir[0] = '\0';
}

static PGresult *run(const struct pg_fixture *f, const char *dbname, const char *sql, PGconn **pg) {
  const char *keys[] = {"host", "user", "dbname", "options", NULL};
  const char *values[] = {f->dir, PG_FIXTURE_SUPERUSER, dbname, "-c client_min_messages=warning", NULL};
  *pg = PQconnectdbParams(keys, values, 0);
  PGresult *result = PQexec(*pg, sql);
  ExecStatusType type = PQresultStatus(result);
  if (type != PGRES_COMMAND_OK && type != PGRES_TUPLES_OK && type != PGRES_EMPTY_QUERY) {
    fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(*pg));
    exit(99); /* the server goes with us */
  }
  return result;
}

void pg_fixture_sql(const struct pg_fixture *f, const char *dbname, const char *sql) {
  PGconn *pg;
  PQclear(run(f, dbname, sql, &pg));
  PQfinish(pg);
}

void pg_fixture_value(const struct pg_fixture *f, const char *dbname, const char *sql, char *buf, size_t size) {
  PGconn *pg;
  PGresult *result = run(f, dbname, sql, &pg);
  snprintf(buf, size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
  PQclear(result);
  PQfinish(pg);
}
