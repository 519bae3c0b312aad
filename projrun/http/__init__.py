"""HTTP shared by sources and tracking: proxies, certificates, logins and failures."""
