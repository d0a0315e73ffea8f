"""What both versions answer to the same requests: captured ones of the live version are put to the new one."""
