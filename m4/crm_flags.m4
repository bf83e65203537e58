# SPDX-License-Identifier: MIT
# CRM_ADD_CFLAGS(VARIABLE, FLAGS): appends those flags to VARIABLE which the compiler knows.
AC_DEFUN([CRM_ADD_CFLAGS], [
  for crm_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([crm_cache], [crm_cv_cflag_$crm_flag])
    AC_CACHE_CHECK([whether $CC knows $crm_flag], [crm_cache], [
      crm_saved=$CFLAGS
      CFLAGS="$CFLAGS -Werror $crm_flag"
      AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])], [AS_VAR_SET([crm_cache], [yes])], [AS_VAR_SET([crm_cache], [no])])
      CFLAGS=$crm_saved])
    AS_VAR_IF([crm_cache], [yes], [$1="$$1 $crm_flag"])
    AS_VAR_POPDEF([crm_cache])
  done])
# CRM_ADD_LDFLAGS(VARIABLE, FLAGS): the same for the linker.
AC_DEFUN([CRM_ADD_LDFLAGS], [
  for crm_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([crm_cache], [crm_cv_ldflag_$crm_flag])
    AC_CACHE_CHECK([whether the linker knows $crm_flag], [crm_cache], [
      crm_saved=$LDFLAGS
      LDFLAGS="$LDFLAGS $crm_flag"
      AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([crm_cache], [yes])], [AS_VAR_SET([crm_cache], [no])])
      LDFLAGS=$crm_saved])
    AS_VAR_IF([crm_cache], [yes], [$1="$$1 $crm_flag"])
    AS_VAR_POPDEF([crm_cache])
  done])
