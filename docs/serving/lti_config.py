"""Login from a learning platform (LTI 1.3: Moodle, Canvas, ...) instead of a password.

    pip install jupyterhub-ltiauthenticator
    jupyterhub -f lti_config.py

Register the hub as a tool at the platform, by hand or with its configuration at https://class.example/hub/lti13/config:
login at /hub/lti13/oauth_login, redirect to /hub/lti13/oauth_callback. The platform tells the rest of the values below.
Let it open the tool in a new window: a browser that keeps the cookies of others out refuses the login in a frame.
"""

c = get_config()  # pyright: ignore[reportUndefinedVariable]

# The hub itself, beside this file.
load_subconfig("jupyterhub_config.py")  # pyright: ignore[reportUndefinedVariable]
c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
c.LTI13Authenticator.issuer = "https://moodle.example"
c.LTI13Authenticator.authorize_url = "https://moodle.example/mod/lti/auth.php"
c.LTI13Authenticator.jwks_endpoint = "https://moodle.example/mod/lti/certs.php"
c.LTI13Authenticator.client_id = ["the client id that the platform gave"]
c.LTI13Authenticator.username_key = "sub"  # a number for each person, and no name
# The platform sends the browser back with a POST, along which only such cookies go.
c.JupyterHub.tornado_settings = {"cookie_options": {"samesite": "None", "secure": True}}
